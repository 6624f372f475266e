package io.loomshim.runc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.process.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** With the installed runc. */
@Timeout(60)
class KnownRuntimesTest {
  private static final Path REAL = Programs.find("runc", System.getenv("PATH")).orElseThrow();

  @TempDir Path dir;
  private final KnownRuntimes known = KnownRuntimes.empty();

  private CommandRunner runc(String binary) {
    var settings = new RuncSettings(binary, dir.resolve("root"), dir.resolve("log.json"), Optional.empty(), false);
    return new CommandRunner(settings, dir, RuncLimits.DEFAULT,
        Map.of("PATH", dir + ":" + System.getenv("PATH")), new RuncCalls());
  }

  private boolean learned(CommandRunner runner) throws Exception {
    known.learn(runner, "a", false);
    return known.knows(runner, "a");
  }

  private Path copy(Path program, String name) throws IOException {
    return Files.copy(program, dir.resolve(name), StandardCopyOption.REPLACE_EXISTING,
        StandardCopyOption.COPY_ATTRIBUTES);
  }

  /** A script that says it is a runc, and that it was asked. */
  private Path script(String name) throws IOException {
    String text = "#!/bin/sh\ntrue > " + dir + "/asked\necho runc version 1.1.5\n";
    Path script = Files.writeString(dir.resolve(name), text);
    return Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @Test
  void aProgramIsKnownOnceItHasAnswered() throws Exception {
    CommandRunner runner = runc("");
    assertFalse(known.knows(runner, "a"));
    await().until(() -> known.knows(runner, "a"));
  }

  @Test
  void itMayBeAskedBeforehand() throws Exception {
    CommandRunner runner = runc("");
    known.prepare(runner, "a");
    await().until(() -> known.knows(runner, "a"));
  }

  @Test
  void oneThatIsGivenByItsPathIsKnown() throws Exception {
    assertTrue(learned(runc(REAL.toString())));
  }

  @Test
  void aScriptIsNeverKnownAndNeverAsked() throws Exception {
    script("runc");
    assertFalse(learned(runc("")));
    assertFalse(Files.exists(dir.resolve("asked")));
  }

  @Test
  void whoeverAsksForTheVersionGetsThatOfAScriptTooAndOneAnswerServesBoth() throws Exception {
    script("runc");
    assertFalse(learned(runc("")));
    assertEquals(RuntimeVersion.UNKNOWN, known.version(runc(""), "a"));
    await().until(() -> known.version(runc(""), "a").equals(new RuntimeVersion("runc", 1, 1)));
    assertFalse(known.knows(runc(""), "a"));
    Files.delete(dir.resolve("asked"));
    assertEquals(new RuntimeVersion("runc", 1, 1), known.learn(runc(""), "a", true));
    assertFalse(Files.exists(dir.resolve("asked")));
  }

  @Test
  void anotherNameIsNotAsked() throws Exception {
    script("crun");
    known.prepare(runc("crun"), "a");
    assertFalse(known.knows(runc("crun"), "a"));
    assertFalse(known.knows(runc(copy(REAL, "my-runc").toString()), "a"));
    assertFalse(Files.exists(dir.resolve("asked")));
  }

  @Test
  void aProgramThatSaysAnythingElseIsNotKnown() throws Exception {
    copy(Path.of("/bin/true").toRealPath(), "runc");
    assertFalse(learned(runc("")));
  }

  @Test
  void aProgramThatHasChangedIsAskedAgain() throws Exception {
    Path copy = copy(REAL, "runc");
    assertTrue(learned(runc("")));
    Files.setLastModifiedTime(copy, FileTime.fromMillis(1));
    assertFalse(known.knows(runc(""), "a"));
    await().until(() -> known.knows(runc(""), "a"));
    Files.delete(copy);
    script("runc");
    assertFalse(learned(runc("")));
  }

  @Test
  void aProgramThatIsNotThereIsRuncsToTell() throws Exception {
    assertThrows(NoSuchFileException.class, () -> known.knows(runc("/no/runc"), "a"));
    var natives = new NativeRunc("a", runc("/no/runc"), new RuncCalls(), known);
    assertFalse(natives.start(1));
    assertFalse(natives.delete(1));
  }

  @Test
  void noneIsKnownWhereThatIsOff() throws Exception {
    KnownRuntimes.NONE.prepare(runc(""), "a");
    assertFalse(KnownRuntimes.NONE.knows(runc(""), "a"));
    assertFalse(new NativeRunc("a", runc(""), new RuncCalls(), KnownRuntimes.NONE).start(1));
    assertFalse(new NativeRunc("a", runc(""), new RuncCalls(), KnownRuntimes.NONE).delete(1));
  }
}
