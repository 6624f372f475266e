package io.loomshim.integration.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.Any;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Containerd;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.OciRuntime;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import io.loomshim.proto.runc.Options;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What makes the commands of the runtime faster changes nothing that a container or its client can see. */
final class ShortcutsIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Map<String, String> ON =
      Map.of("early_cgroup_wait", "true", "spawn_apart", "true", "sealed_runtime", "true");
  private static final Map<String, String> OFF =
      Map.of("early_cgroup_wait", "false", "spawn_apart", "false", "sealed_runtime", "false");

  /** More than the number of files from which on programs are started by threads of their own. */
  private static final int CONNECTIONS = 1020;

  private Path directory;
  private Path runtime;

  @BeforeEach
  void prepare() throws IOException {
    Shim.assumeOurs("the Go shims have no such settings");
    directory = Scratch.directory("sc");
    Path real = located(OciRuntime.program());
    runtime = Files.copy(real, Files.createDirectory(directory.resolve("bin")).resolve(real.getFileName()),
        StandardCopyOption.COPY_ATTRIBUTES);
  }

  @AfterEach
  void end() {
    if (directory != null) {
      Install.get().configure(Map.of("early_cgroup_wait", "true", "spawn_apart", "true", "sealed_runtime", "auto"));
      Scratch.remove(directory);
    }
  }

  private static Path located(String program) throws IOException {
    for (String place : (program.contains("/") ? "" : Containerd.path()).split(":")) {
      Path path = Path.of(place.isEmpty() ? "/" : place).resolve(program);
      if (Files.isExecutable(path)) {
        return path.toRealPath();
      }
    }
    throw new AssertionError("no " + program);
  }

  private Optional<Any> options() {
    return Optional.of(Shims.any("containerd.runc.v1.Options",
        Options.newBuilder().setBinaryName(runtime.toString()).build()));
  }

  private static ShimClient created(Shims shims, Shim shim, Optional<Any> options) {
    var task = shims.start(shim, shims.bundle(Names.id("short"), "sleep", "1000"), options);
    task.create(request -> options.map(request::setOptions).orElse(request));
    return task;
  }

  private static String text(long pid, String file) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/" + file)).replace('\0', ' ').strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String link(long pid, String file) {
    try {
      return Files.readSymbolicLink(Path.of("/proc/" + pid + "/" + file)).toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static TreeSet<String> names(Path of) {
    try (Stream<Path> files = Files.list(of)) {
      return new TreeSet<>(files.map(file -> file.getFileName().toString()).toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All that can be seen of a process from outside that does not differ from run to run. */
  private static Map<String, String> seen(long pid, Shims shims, String id) {
    Await.until("the runtime has given way to the program", () -> text(pid, "comm").equals("sleep"));
    var seen = new TreeMap<String, String>();
    for (String file : List.of("comm", "cmdline", "environ", "cgroup", "limits", "oom_score_adj")) {
      seen.put(file, text(pid, file).replace(shims.namespace(), "NS").replace(id, "ID"));
    }
    seen.put("exe", link(pid, "exe"));
    seen.put("fds", names(Path.of("/proc/" + pid + "/fd")).toString());
    seen.put("threads", Integer.toString(names(Path.of("/proc/" + pid + "/task")).size()));
    return seen;
  }

  /** A container and an exec in it, and what the runtime keeps of them. */
  private Map<String, Object> life(Shim shim) throws IOException {
    var all = new TreeMap<String, Object>();
    var shims = new Shims(directory.resolve(Names.id("s")), BED.rootfs());
    try (var first = created(shims, shim, Optional.empty());
        var second = created(shims, shim, Optional.empty())) {
      long daemon = Proc.info(second.state("").getPid()).orElseThrow().parent();
      String before = text(daemon, "cgroup");
      second.start();
      second.exec("e", "sleep", "1000");
      int exec = second.start("e");
      all.put("init", seen(second.state("").getPid(), shims, second.id()));
      all.put("exec", seen(exec, shims, second.id()));
      all.put("state", names(Names.RUNC_ROOT.resolve(shims.namespace()).resolve(second.id())).toString());
      assertEquals(before, text(daemon, "cgroup"));
      if (shim.ours()) {
        var cgroups = Set.copyOf(Proc.ofThreads(daemon, "cgroup"));
        assertEquals(1, cgroups.size(), "the daemon's threads are in different cgroups: " + cgroups);
      }
      second.kill(ShimClient.KILL, "e");
      all.put("exit", second.await("e").getExitStatus());
      second.delete("e");
      all.put("end", second.end());
      first.end();
    } finally {
      shims.remove();
    }
    return all;
  }

  @Test
  void nothingAboutAContainerIsDifferent() throws IOException {
    var reference = life(Shim.reference());
    Install.get().configure(OFF);
    assertEquals(reference, life(Shim.tested()), "without any of it");
    Install.get().configure(ON);
    assertEquals(reference, life(Shim.tested()), "with all of it");
  }

  @Test
  void eachHasASetting() throws IOException {
    for (boolean on : List.of(false, true)) {
      Install.get().configure(on ? ON : OFF);
      var shims = new Shims(directory.resolve("s" + on), BED.rootfs());
      try (var task = created(shims, Shim.tested(), Optional.empty())) {
        long daemon = task.shimPid();
        assertEquals(on, Proc.threads(daemon).contains("grace"), Proc.threads(daemon).toString());
        task.start();
        task.end();
      } finally {
        shims.remove();
      }
    }
  }

  @Test
  void anUpdateOfTheRuntimeIsUsedAtTheNextCall() throws IOException {
    Install.get().configure(ON);
    var shims = new Shims(directory.resolve("u"), BED.rootfs());
    Path calls = directory.resolve("calls");
    try (var first = created(shims, Shim.tested(), options())) {
      boolean copies = link(first.state("").getPid(), "exe").startsWith("/memfd:");
      first.start();
      if (copies) {
        awaitSealed(first.shimPid());
      }
      try (var second = created(shims, Shim.tested(), options())) {
        int init = second.state("").getPid();
        String runs = link(init, "exe");
        assertEquals(copies, runs.equals("/memfd:loomshim-" + runtime.getFileName() + " (deleted)"), runs);
        assertEquals(runtime.getFileName() + (OciRuntime.version().startsWith("runc") ? ":[2:INIT]" : ""),
            text(init, "comm"));
        second.start();
        Path moved = Files.move(runtime, runtime.resolveSibling("real"));
        Files.writeString(runtime, "#!/bin/sh\necho \"$*\" >> " + calls + "\nexec " + moved + " \"$@\"\n");
        Files.setPosixFilePermissions(runtime, PosixFilePermissions.fromString("rwxr-xr-x"));
        second.exec("e", "true");
        second.start("e");
        assertEquals(0, second.await("e").getExitStatus());
        second.delete("e");
        assertTrue(Files.readString(calls).contains(" exec "), "the old one was run");
        assertEquals(137, second.end());
      }
      assertEquals(137, first.end());
    } finally {
      shims.remove();
    }
  }

  private static void awaitSealed(long daemon) {
    Await.until("the runtime is copied", () -> {
      for (String fd : names(Path.of("/proc/" + daemon + "/fd"))) {
        try {
          if (link(daemon, "fd/" + fd).startsWith("/memfd:loomshim-")) {
            return true;
          }
        } catch (UncheckedIOException e) {
          // closed meanwhile
        }
      }
      return false;
    });
  }

  @Test
  void aCopyCannotBeChangedFromWithinAContainer() throws IOException {
    Install.get().configure(ON);
    var shims = new Shims(directory.resolve("w"), BED.rootfs());
    try (var first = created(shims, Shim.tested(), options())) {
      assumeTrue(link(first.state("").getPid(), "exe").startsWith("/memfd:"), "this runtime does not copy itself");
      first.start();
      long daemon = first.shimPid();
      awaitSealed(daemon);
      try (var second = created(shims, Shim.tested(), options())) {
        Path exe = Path.of("/proc/" + second.state("").getPid() + "/exe");
        var mode = Files.getPosixFilePermissions(exe);
        // root on the host has more than root in a container
        assertThrows(IOException.class, () -> Files.write(exe, new byte[] {0}));
        var nothing = PosixFilePermissions.fromString("---------");
        assertThrows(IOException.class, () -> Files.setPosixFilePermissions(exe, nothing));
        assertEquals(mode, Files.getPosixFilePermissions(exe));
        second.start();
        second.end();
      }
      first.end();
    } finally {
      shims.remove();
    }
  }

  @Test
  void withManyFilesOpenProcessesAreTheSame() throws IOException {
    Install.get().configure(ON);
    var shims = new Shims(directory.resolve("m"), BED.rootfs());
    var clients = new ArrayList<SocketChannel>();
    try (var task = created(shims, Shim.tested(), Optional.empty())) {
      task.start();
      long daemon = task.shimPid();
      task.exec("few", "sleep", "1000");
      var few = seen(task.start("few"), shims, task.id());
      assertFalse(Proc.threads(daemon).contains("spawner"));
      for (int i = 0; i < CONNECTIONS; i++) {
        clients.add(SocketChannel.open(UnixDomainSocketAddress.of(task.socket())));
      }
      Await.until("all are connected", () -> Proc.fileCount(daemon) > CONNECTIONS);
      task.exec("many", "sleep", "1000");
      var many = seen(task.start("many"), shims, task.id());
      assertTrue(Proc.threads(daemon).contains("spawner"), Proc.threads(daemon).toString());
      assertEquals(few, many);
      for (String exec : List.of("few", "many")) {
        task.kill(ShimClient.KILL, exec);
        assertEquals(137, task.await(exec).getExitStatus());
        task.delete(exec);
      }
      task.end();
    } finally {
      for (var client : clients) {
        client.close();
      }
      shims.remove();
    }
  }
}
