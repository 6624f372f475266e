package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RuncCommandTest {
  private static final ProcessFile PROCESS = new ProcessFile(Path.of("/p"), "{}");
  private static final Path BUNDLE = Path.of("/b");
  private static final Optional<Path> NONE = Optional.empty();

  private static void assertArgs(String line, RuncCommand command) {
    assertEquals(List.of(line.split(" ")), command.args());
    assertEquals(command.name(), command.args().getFirst());
  }

  @Test
  void globalFlagsComeInOrder() {
    var plain = new RuncSettings("", Path.of("/run/containerd/runc/k8s.io"), Path.of("/b/log.json"), NONE, false);
    assertEquals("runc", plain.binary());
    assertEquals(List.of("--root", "/run/containerd/runc/k8s.io", "--log", "/b/log.json", "--log-format", "json"),
        plain.args());
    var full = new RuncSettings("crun", Path.of("/r/ns"), Path.of("/b/log.json"), Optional.of(Path.of("/criu")), true);
    assertEquals(List.of("--root", "/r/ns", "--log", "/b/log.json", "--log-format", "json", "--criu", "/criu",
        "--systemd-cgroup"), full.args());
  }

  @Test
  void createNamesBundleAndPidFile() {
    assertArgs("create --bundle /b --pid-file /b/init.pid web-1",
        new RuncCommand.Create("web-1", BUNDLE, Path.of("/b/init.pid"), NONE, false, false, () -> {}));
    assertArgs("create --bundle /b --pid-file /b/init.pid --console-socket /s --no-pivot --no-new-keyring web-1",
        new RuncCommand.Create("web-1", BUNDLE, Path.of("/b/init.pid"), Optional.of(Path.of("/s")), true, true,
            () -> {}));
  }

  @Test
  void execNamesProcessAndPidFile() {
    assertArgs("exec --process /p --detach --pid-file /b/e.pid web-1",
        new RuncCommand.Exec("web-1", PROCESS, Path.of("/b/e.pid"), NONE, Optional.empty()));
    assertArgs("exec --process /p --console-socket /s --detach --pid-file /b/e.pid web-1",
        new RuncCommand.Exec("web-1", PROCESS, Path.of("/b/e.pid"), Optional.of(Path.of("/s")),
            Optional.empty()));
    assertArgs("exec --process /p --detach --pid-file /b/e.pid --cgroup freezer:probe web-1",
        new RuncCommand.Exec("web-1", PROCESS, Path.of("/b/e.pid"), NONE, Optional.of("freezer:probe")));
    assertEquals(List.of("exec", "--help"), new RuncCommand.ExecHelp("web-1").args());
  }

  @Test
  void commandsWithoutPathsNameTheContainer() {
    assertArgs("start web-1", new RuncCommand.Start("web-1"));
    assertArgs("kill web-1 15", new RuncCommand.Kill("web-1", 15, false));
    assertArgs("kill --all web-1 9", new RuncCommand.Kill("web-1", 9, true));
    assertArgs("delete web-1", new RuncCommand.Delete("web-1", false));
    assertArgs("delete --force web-1", new RuncCommand.Delete("web-1", true));
    assertArgs("ps --format json web-1", new RuncCommand.Ps("web-1"));
    assertArgs("pause web-1", new RuncCommand.Pause("web-1"));
    assertArgs("resume web-1", new RuncCommand.Resume("web-1"));
    assertArgs("--version", new RuncCommand.Version("web-1"));
    assertArgs("update --resources - web-1", new RuncCommand.Update("web-1", "{}"));
  }

  @Test
  void checkpointNamesWhatIsAskedFor() {
    assertArgs("checkpoint web-1",
        new RuncCommand.Checkpoint("web-1", NONE, NONE, false, false, false, false, List.of(), false));
    assertArgs("checkpoint --image-path /i --work-path /w --tcp-established --ext-unix-sk --shell-job --file-locks"
        + " --empty-ns network --empty-ns uts --leave-running web-1",
        new RuncCommand.Checkpoint("web-1", Optional.of(Path.of("/i")), Optional.of(Path.of("/w")), true, true, true,
            true, List.of("network", "uts"), true));
  }

  @Test
  void restoreNamesImageAndBundle() {
    assertArgs("restore --image-path /i --work-path /b/work --detach --pid-file /b/init.pid -no-subreaper --bundle /b"
        + " web-1",
        new RuncCommand.Restore("web-1", Path.of("/i"), Path.of("/b/work"), NONE, BUNDLE, Path.of("/b/init.pid"),
            NONE, false));
    assertArgs("restore --image-path /i --work-path /b/work --parent-path /p --detach --pid-file /b/init.pid"
        + " --console-socket /s --no-pivot -no-subreaper --bundle /b web-1",
        new RuncCommand.Restore("web-1", Path.of("/i"), Path.of("/b/work"), Optional.of(Path.of("/p")), BUNDLE,
            Path.of("/b/init.pid"), Optional.of(Path.of("/s")), true));
  }
}
