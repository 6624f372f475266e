package io.loomshim.container;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When the bundle is read. */
class FollowersTest {
  @TempDir Path dir;

  private void config(String namespaces) throws IOException {
    Files.writeString(dir.resolve("config.json"), "{\"linux\":{\"namespaces\":[" + namespaces + "]}}");
  }

  private Followers followers() {
    return new Followers("web-1", new Bundle(dir));
  }

  @Test
  void theBundleIsReadOnceBeforeItIsNeeded() throws Exception {
    config("{\"type\":\"pid\"}");
    Followers followers = followers();
    followers.look();
    config("");
    assertFalse(followers.stay());
  }

  @Test
  void whoNeedsItWaitsForAThreadThatReadsIt() throws Exception {
    config("{\"type\":\"pid\"}");
    Followers followers = followers();
    followers.run();
    assertFalse(followers.stay());
    Files.delete(dir.resolve("config.json")); // of no interest any more, also to that thread
    assertFalse(followers.stay());
    assertTrue(followers().stay());
  }
}
