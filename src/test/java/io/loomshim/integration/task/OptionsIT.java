package io.loomshim.integration.task;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.OciRuntime;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import io.loomshim.proto.linuxrunc.CreateOptions;
import io.loomshim.proto.runc.Options;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the options of Create change. Each is given to start, too, as containerd does. */
final class OptionsIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final String RUNC = "containerd.runc.v1.Options";

  /** Runs {@code command} with {@code options}; its output and exit status. */
  private static String run(Shim shim, Optional<Any> options, String... command) {
    var bundle = BED.shims().bundle(Names.id("options"), command);
    var out = Bundle.fifo(bundle.path().resolve("out"));
    var err = Bundle.fifo(bundle.path().resolve("err"));
    var setting = new Exec.Setting(bundle.path(), Map.of());
    var outReader = Exec.start(BED.directory(), setting, List.of("cat", out.toString()));
    var errReader = Exec.start(BED.directory(), setting, List.of("cat", err.toString()));
    try (var task = BED.shims().start(shim, bundle, options)) {
      task.create(request -> {
        options.ifPresent(request::setOptions);
        return request.setStdout(out.toString()).setStderr(err.toString());
      });
      task.start();
      int status = task.await("").getExitStatus();
      task.delete("");
      return outReader.await(Ctr.LIMIT).text() + errReader.await(Ctr.LIMIT).text() + status;
    } finally {
      outReader.kill();
      errReader.kill();
    }
  }

  private static Optional<Any> runc(Options.Builder options) {
    return Optional.of(Shims.any(RUNC, options.build()));
  }

  @Test
  void absentAndEmptyOptionsAreTheDefaults() {
    for (var options : List.of(Optional.<Any>empty(), Optional.of(Any.getDefaultInstance()),
        runc(Options.newBuilder()))) {
      assertEquals("hi\n0", run(Shim.tested(), options, "echo", "hi"));
    }
  }

  @Test
  void binaryNameChoosesTheProgramThatMakesTheContainer() throws IOException {
    Path calls = BED.directory().resolve("calls");
    Path program = BED.directory().resolve("my-runc");
    Files.writeString(program, "#!/bin/sh\necho \"$*\" >> " + calls + "\nexec " + OciRuntime.program() + " \"$@\"\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    var options = runc(Options.newBuilder().setBinaryName(program.toString()));
    assertEquals("hi\n5", run(Shim.tested(), options, "sh", "-c", "echo hi; exit 5"));
    for (String command : List.of(" create ", " start ", " delete ")) {
      assertTrue(Files.readString(calls).contains(command), () -> command + "was not called");
    }
  }

  @Test
  void crunDoesWhatItDoesUnderTheGoShim() {
    // which is to refuse on a machine with controllers of both cgroup versions
    Differential.same(shim -> ShimClient.error(() -> run(shim, runc(Options.newBuilder().setBinaryName("crun")),
        "sh", "-c", "echo hi; exit 5")));
  }

  @Test
  void aBinaryNameThatDoesNotExistIsNamedInTheError() {
    String seen = Differential.same(shim -> {
      var bundle = BED.shims().bundle(Names.id("binary"), "true");
      var options = runc(Options.newBuilder().setBinaryName("no-such-runtime"));
      try (var task = BED.shims().start(shim, bundle, options)) {
        return Differential.plain(failure(() -> task.create(r -> r.setOptions(options.get()))), task.id());
      }
    });
    assertTrue(seen.contains("no-such-runtime"), seen);
  }

  @Test
  void rootIsWhereTheRuntimeKeepsItsState() {
    Path root = BED.directory().resolve("root");
    var options = runc(Options.newBuilder().setRoot(root.toString()));
    var bundle = BED.shims().bundle(Names.id("root"), "sleep", "1000");
    try (var task = BED.shims().start(Shim.tested(), bundle, options)) {
      task.create(request -> request.setOptions(options.get()));
      Path state = root.resolve(BED.shims().namespace()).resolve(task.id());
      assertTrue(Files.isDirectory(state));
      task.start();
      assertEquals(137, task.end());
      assertFalse(Files.exists(state));
    }
  }

  @Test
  void noNewKeyringAndNoPivotRootAreAccepted() {
    var options = runc(Options.newBuilder().setNoNewKeyring(true).setNoPivotRoot(true));
    assertEquals("hi\n0", run(Shim.tested(), options, "echo", "hi"));
  }

  @Test
  void theContainersEndsOfItsStdioBelongToIoUidAndIoGid() {
    String seen = Differential.same(shim -> run(shim, runc(Options.newBuilder().setIoUid(1234).setIoGid(4321)),
        "sh", "-c", "stat -L -c %u:%g /proc/self/fd/1; stat -L -c %u:%g /proc/self/fd/2 >&2"));
    // runc gives them to the user of the process afterwards
    assertEquals("0:4321\n0:4321\n0", seen);
  }

  @Test
  void optionsForRuntimesThatAreNotCalledRuncAreUnderstood() {
    Shim.assumeOurs("the Go shims reject containerd.linux.runc.CreateOptions");
    var options = CreateOptions.newBuilder().setNoNewKeyring(true).setIoUid(1234).setIoGid(4321).build();
    var any = Optional.of(Shims.any("containerd.linux.runc.CreateOptions", options));
    assertEquals("0:4321\n0", run(Shim.tested(), any, "stat", "-L", "-c", "%u:%g", "/proc/self/fd/1"));
  }

  @Test
  void optionsOfAnUnknownTypeAreAnInvalidArgument() {
    Shim.assumeOurs("the Go shim answers with code 2");
    var options = Any.newBuilder().setTypeUrl("no.such.Options").build();
    var bundle = BED.shims().bundle(Names.id("strange"), "true");
    try (var task = BED.shims().start(Shim.tested(), bundle, Optional.of(options))) {
      String error = failure(() -> task.create(request -> request.setOptions(options)));
      assertTrue(error.startsWith("3 ") && error.contains("no.such.Options"), error);
    }
  }

  private static Any toml(io.loomshim.proto.runtimeoptions.Options.Builder options) {
    return Shims.any("runtimeoptions.v1.Options", options.build());
  }

  @Test
  void optionsAsTomlAreReadFromTheMessageOrFromAFile() throws IOException {
    Shim.assumeOurs("the Go shims end when they get runtimeoptions.v1.Options");
    Path program = BED.directory().resolve("toml-runc");
    Path calls = BED.directory().resolve("toml-calls");
    Files.writeString(program, "#!/bin/sh\necho \"$*\" >> " + calls + "\nexec " + OciRuntime.program() + " \"$@\"\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    String text = "# for every container\nBinaryName = \"" + program + "\"\nNoNewKeyring = true\n";
    Path file = Files.writeString(BED.directory().resolve("options.toml"), text);
    var body = toml(io.loomshim.proto.runtimeoptions.Options.newBuilder().setConfigBody(ByteString.copyFromUtf8(text)));
    var path = toml(io.loomshim.proto.runtimeoptions.Options.newBuilder().setConfigPath(file.toString()));
    for (Any options : List.of(body, path)) {
      Files.deleteIfExists(calls);
      assertEquals("hi\n5", run(Shim.tested(), Optional.of(options), "sh", "-c", "echo hi; exit 5"));
      assertTrue(Files.readString(calls).contains("--no-new-keyring"), "no create by the program of the options");
    }
  }

  @Test
  void optionsThatCannotBeReadAreAnInvalidArgumentAndLeaveNothing() {
    Shim.assumeOurs("the Go shims end when they get runtimeoptions.v1.Options");
    var options = toml(io.loomshim.proto.runtimeoptions.Options.newBuilder()
        .setConfigBody(ByteString.copyFromUtf8("Root = '/run/x'\nSystemdCgroup = 'yes'\n")));
    var bundle = BED.shims().bundle(Names.id("strange"), "true");
    try (var task = BED.shims().start(Shim.tested(), bundle, Optional.of(options))) {
      assertEquals("3 runtime option SystemdCgroup is not a boolean: invalid argument",
          failure(() -> task.create(request -> request.setOptions(options))));
    }
  }

  @Test
  void aShimCgroupIsWhereTheDaemonLives() {
    String name = "/" + Names.PREFIX + "shims";
    var options = runc(Options.newBuilder().setShimCgroup(name));
    boolean old = !hierarchies("cgroup").isEmpty();
    var groups = hierarchies(old ? "cgroup" : "cgroup2").stream().map(root -> Path.of(root + name)).toList();
    assertFalse(groups.isEmpty());
    Function<Shim, String> scenario = shim -> {
      try {
        for (Path group : groups) {
          Files.createDirectory(group);
        }
        return daemonIn(shim, options, groups);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } finally {
        groups.forEach(OptionsIT::removeGroup);
      }
    };
    // the Go shims know hierarchies of the first version only
    String seen = old ? Differential.same(scenario) : scenario.apply(Shim.tested());
    assertEquals("137 everywhere", seen);
  }

  /** Runs a container and tells in which of {@code groups} the shim's daemon is; ends the daemon. */
  private static String daemonIn(Shim shim, Optional<Any> options, List<Path> groups) throws IOException {
    var bundle = BED.shims().bundle(Names.id("grouped"), "sleep", "1000");
    long daemon;
    String result;
    try (var task = BED.shims().start(shim, bundle, options)) {
      daemon = Long.parseLong(Files.readString(bundle.path().resolve("shim.pid")));
      task.create(request -> request.setOptions(options.get()));
      task.start();
      var absent = new ArrayList<Path>();
      for (Path group : groups) {
        if (!Files.readAllLines(group.resolve("cgroup.procs")).contains(Long.toString(daemon))) {
          absent.add(group);
        }
      }
      result = task.end() + (absent.isEmpty() ? " everywhere" : " not in " + absent);
    }
    if (shim.ours()) {
      Proc.terminate(daemon);
    }
    return result;
  }

  /** Where cgroup hierarchies are mounted that take processes freely. */
  private static List<Path> hierarchies(String type) {
    try {
      var roots = new ArrayList<Path>();
      for (String line : Files.readAllLines(Path.of("/proc/self/mounts"))) {
        String[] words = line.split(" ");
        boolean cpuset = words[3].contains("cpuset"); // a new group has no processors and takes nobody
        if (words[2].equals(type) && !cpuset) {
          roots.add(Path.of(words[1]));
        }
      }
      return roots;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Busy until the last process in it has been reaped. */
  private static void removeGroup(Path group) {
    Await.until("the end of " + group, () -> {
      try {
        Files.deleteIfExists(group);
        return true;
      } catch (IOException e) {
        return false;
      }
    });
  }
}
