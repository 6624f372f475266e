package io.loomshim.integration.containerd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Containerd;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.TakenOver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What containers inherit from containerd by way of a daemon comes to those of the next daemon too, after a SIGKILL and
 * after an {@code upgrade}, whoever has asked for it.
 */
@Tag("any-jdk")
final class InheritedTakeOverIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final String LINGER = "linger_seconds";

  private final Inherited here = new Inherited(BED, BED.ctr().in(Names.namespace()));
  private final TakenOver daemon = new TakenOver(here.ctr().namespace());

  @BeforeEach
  void begin() {
    Shim.assumeOurs("no other shim is taken over");
    TakenOver.begin();
  }

  @AfterEach
  void end() {
    daemon.endAll();
    TakenOver.end();
    Install.get().configure(Map.of(LINGER, Install.get().settings().get(LINGER)));
    here.restart(":", Map.of());
  }

  /** Has the daemon hand over to one with another setting. Who asks has other limits than any containerd. */
  private void upgrade(int linger) {
    long before = daemon.daemon().pid();
    Install.get().configure(Map.of(LINGER, Integer.toString(linger)));
    String words = "ulimit -c 5; ulimit -Sn 600; umask 077; echo 500 > /proc/self/oom_score_adj; exec "
        + SHIM.program() + " upgrade --namespace " + daemon.namespace();
    var told = Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of("MARK", "of the administrator")),
        List.of("sh", "-c", words)).await(Ctr.LIMIT).ok();
    assertTrue(told.text().contains(": has handed over to process "), told::toString);
    assertNotEquals(before, daemon.daemon().pid());
  }

  @Test
  void limitsAndAllElseThatTheKernelHandsOnStay() {
    here.restart(Inherited.OTHER + "; ulimit -Sn 1024; ulimit -Hn 8192", Map.of());
    String expected = here.profiles(SHIM);
    String kept = Names.id("kept");
    here.sleeper(SHIM, kept);
    String exec = here.exec(kept);
    for (int i = 0; i < 2; i++) {
      daemon.kill();
      assertEquals(exec, here.exec(kept));
      assertEquals(expected, here.profiles(SHIM));
      upgrade(71 + i);
      assertEquals(exec, here.exec(kept));
      assertEquals(expected, here.profiles(SHIM));
    }
    long before = daemon.daemon().pid();
    here.restart("ulimit -c 78", Map.of());
    assertNotEquals(expected, here.profiles(SHIM));
    assertEquals(2, daemon.all().size(), "a containerd with other limits has a daemon of its own");
    assertEquals(exec, here.exec(kept));
    assertTrue(daemon.all().stream().anyMatch(one -> one.pid() == before));
    assertEquals(137, here.ctr().end(kept));
  }

  @Test
  void theEnvironmentIsThatOfEachContainersStart() throws IOException {
    Path programs = Files.createDirectory(BED.directory().resolve(Names.id("bin")));
    Path written = BED.directory().resolve(Names.id("marks"));
    Files.writeString(programs.resolve("runc"),
        "#!/bin/sh\nfor word; do case $word in create|exec) echo $word $MARK >> " + written + " ;; esac; done\n"
            + "PATH=${PATH#*" + programs + ":}\nexec runc \"$@\"\n"); // containerd puts a directory before them
    Files.setPosixFilePermissions(programs.resolve("runc"), PosixFilePermissions.fromString("rwxr-xr-x"));
    String path = programs + ":" + Containerd.path();
    here.restart(":", Map.of("PATH", path, "MARK", "first"));
    String kept = Names.id("kept");
    here.sleeper(SHIM, kept);
    here.restart(":", Map.of("PATH", path, "MARK", "second"));
    for (int i = 0; i < 2; i++) {
      if (i == 0) {
        daemon.kill();
      } else {
        upgrade(73);
      }
      here.exec(kept);
      here.profile(SHIM);
    }
    assertEquals(List.of("create first", "exec first", "create second", "exec first", "create second"),
        Files.readAllLines(written));
    assertEquals(137, here.ctr().end(kept));
  }
}
