package io.loomshim.integration.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The environment of the daemon, whose language is fixed: runc's, and no container's. */
@Timeout(120)
final class EnvironmentIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Duration LIMIT = Await.seconds(30);

  private static Exec program(String... command) {
    return Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()), List.of(command));
  }

  private static Set<String> names(String environment) {
    var names = new TreeSet<String>();
    environment.lines().forEach(line -> names.add(line.split("=", 2)[0]));
    return names;
  }

  @Test
  void containersAndExecsHaveTheEnvironmentOfTheirSpecAndNoneOfTheDaemon() throws IOException {
    Path init = Bundle.fifo(BED.directory().resolve(Names.id("init")));
    Path exec = Bundle.fifo(BED.directory().resolve(Names.id("exec")));
    var bundle = BED.shims().bundle(Names.id("environment"), "sh", "-c", "env -u SHLVL -u PWD env; exec sleep 1000");
    var initReader = program("cat", init.toString());
    var execReader = program("cat", exec.toString());
    try (var task = BED.shims().start(Shim.tested(), bundle)) {
      task.create(r -> r.setStdout(init.toString()).setStderr(init.toString()));
      task.start();
      task.exec("child", r -> r.setStdout(exec.toString()).setStderr(exec.toString()), "env");
      task.start("child");
      assertEquals(0, task.await("child").getExitStatus());
      task.end();
      assertEquals(Set.of("HOME", "PATH"), names(initReader.await(LIMIT).text())); // HOME is runc's
      assertEquals(Set.of("HOME", "PATH"), names(execReader.await(LIMIT).text()));
    } finally {
      initReader.kill();
      execReader.kill();
    }
    Files.delete(init);
    Files.delete(exec);
  }

  @Test
  void runcIsCalledInEnglish() throws IOException {
    Shim.assumeOurs("the Go shim hands its own on");
    Path written = BED.directory().resolve(Names.id("environment"));
    var options = FaultyRunc.options(BED.directory(), "create", "env > " + written + "\nexec runc \"$@\"");
    var bundle = BED.shims().bundle(Names.id("english"), "true");
    try (var task = BED.shims().start(Shim.tested(), bundle, options)) {
      task.create(r -> r.setOptions(options.orElseThrow()));
      var environment = Files.readAllLines(written);
      assertTrue(environment.contains("LC_ALL=C.UTF-8"), environment::toString);
      assertTrue(environment.stream().noneMatch(line -> line.startsWith("LANGUAGE=")), environment::toString);
    }
  }

  /** Written in ASCII here: the JVM of this test may know no more. */
  @Test
  void filesMayHaveNamesInAnyLanguage() {
    String octal = BED.directory() + "/Gr\\303\\266\\303\\237e";
    String name = BED.directory() + "/Gr\u00f6\u00dfe";
    program("sh", "-c", "mkfifo \"$(printf '" + octal + "')\"").await(LIMIT).ok();
    var reader = program("sh", "-c", "exec cat \"$(printf '" + octal + "')\"");
    var bundle = BED.shims().bundle(Names.id("language"), "echo", "hi");
    try (var task = BED.shims().start(Shim.tested(), bundle)) {
      task.create(r -> r.setStdout(name).setStderr(name));
      task.start();
      assertEquals(0, task.await("").getExitStatus());
      task.delete("");
      assertEquals("hi\n", reader.await(LIMIT).text());
    } finally {
      reader.kill();
      program("sh", "-c", "rm \"$(printf '" + octal + "')\"").await(LIMIT).ok();
    }
  }
}
