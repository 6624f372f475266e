package io.loomshim.bench.figure;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnvFileTest {
  @TempDir Path directory;

  @Test
  void whatWasWrittenIsReadAgainInItsOrder() throws Exception {
    var env = new LinkedHashMap<String, String>();
    env.put("runc", "1.1.5");
    env.put("cpu", "a \"quoted\" one, with a \\ and a \\\"");
    env.put("flags of virtual-25", "-Dx={1, 2}");
    env.put("build", "");
    Path file = directory.resolve("env.json");
    EnvFile.write(file, env);
    assertEquals(env, EnvFile.read(file));
    assertEquals(List.copyOf(env.keySet()), List.copyOf(EnvFile.read(file).keySet()));
  }
}
