package io.loomshim.runc;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One call of runc: its sub-command and the arguments after the global flags. Values; no I/O. */
public sealed interface RuncCommand {
  /** The sub-command, as in {@code runc NAME}. */
  String name();

  /** The container that the call is about. */
  String id();

  /** The arguments, the sub-command first. Paths of pid files and bundles must be absolute. */
  List<String> args();

  /** It has been started; for the thread that waits for its end, which this must not hold up. */
  default void started() {
    // that was it
  }

  /** Makes a container whose init waits for {@link Start}; {@code meanwhile} is run once it has been started. */
  record Create(String id, Path bundle, Path pidFile, Optional<Path> consoleSocket, boolean noPivot,
      boolean noNewKeyring, Runnable meanwhile) implements RuncCommand {
    @Override
    public String name() {
      return "create";
    }

    @Override
    public void started() {
      meanwhile.run();
    }

    @Override
    public List<String> args() {
      var args = new Args(name()).value("--bundle", bundle).value("--pid-file", pidFile);
      args.value("--console-socket", consoleSocket).flag("--no-pivot", noPivot);
      return args.flag("--no-new-keyring", noNewKeyring).end(id);
    }
  }

  /** Lets the init of a created container run. */
  record Start(String id) implements RuncCommand {
    @Override
    public String name() {
      return "start";
    }

    @Override
    public List<String> args() {
      return List.of(name(), id);
    }
  }

  /** Starts a further process, described by the JSON file {@code process}, in a container or a cgroup below its own. */
  record Exec(String id, ProcessFile process, Path pidFile, Optional<Path> consoleSocket, Optional<String> cgroup)
      implements RuncCommand {
    @Override
    public String name() {
      return "exec";
    }

    @Override
    public List<String> args() {
      var args = new Args(name()).value("--process", process).value("--console-socket", consoleSocket);
      args.flag("--detach", true).value("--pid-file", pidFile);
      if (cgroup.isPresent()) {
        args.value("--cgroup", cgroup.get());
      }
      return args.end(id);
    }
  }

  /** Tells what the runtime's {@code exec} can do; {@code id} only says for whom it is asked. */
  record ExecHelp(String id) implements RuncCommand {
    @Override
    public String name() {
      return "exec --help";
    }

    @Override
    public List<String> args() {
      return List.of("exec", "--help");
    }
  }

  /** Tells what the runtime is; {@code id} only says for whom it is asked. */
  record Version(String id) implements RuncCommand {
    @Override
    public String name() {
      return "--version";
    }

    @Override
    public List<String> args() {
      return List.of(name());
    }
  }

  /** Sends a signal to the init, or to every process of the container. */
  record Kill(String id, int signal, boolean all) implements RuncCommand {
    @Override
    public String name() {
      return "kill";
    }

    @Override
    public List<String> args() {
      return new Args(name()).flag("--all", all).end(id, Integer.toString(signal));
    }
  }

  /** Removes a stopped container; with {@code force} a running one, and one that does not exist is no error. */
  record Delete(String id, boolean force) implements RuncCommand {
    @Override
    public String name() {
      return "delete";
    }

    @Override
    public List<String> args() {
      return new Args(name()).flag("--force", force).end(id);
    }
  }

  /** Lists the pids of a container. */
  record Ps(String id) implements RuncCommand {
    @Override
    public String name() {
      return "ps";
    }

    @Override
    public List<String> args() {
      return List.of(name(), "--format", "json", id);
    }
  }

  /** Freezes a container. */
  record Pause(String id) implements RuncCommand {
    @Override
    public String name() {
      return "pause";
    }

    @Override
    public List<String> args() {
      return List.of(name(), id);
    }
  }

  /** Thaws a container. */
  record Resume(String id) implements RuncCommand {
    @Override
    public String name() {
      return "resume";
    }

    @Override
    public List<String> args() {
      return List.of(name(), id);
    }
  }

  /** Changes resource limits to {@code resources}, a JSON object that runc reads from its stdin. */
  record Update(String id, String resources) implements RuncCommand {
    @Override
    public String name() {
      return "update";
    }

    @Override
    public List<String> args() {
      return List.of(name(), "--resources", "-", id);
    }
  }

  /** Saves a container's processes to files. */
  record Checkpoint(String id, Optional<Path> image, Optional<Path> work, boolean openTcp,
      boolean externalUnixSockets, boolean terminal, boolean fileLocks, List<String> emptyNamespaces,
      boolean leaveRunning) implements RuncCommand {
    public Checkpoint {
      emptyNamespaces = List.copyOf(emptyNamespaces);
    }

    @Override
    public String name() {
      return "checkpoint";
    }

    @Override
    public List<String> args() {
      var args = new Args(name()).value("--image-path", image).value("--work-path", work);
      args.flag("--tcp-established", openTcp).flag("--ext-unix-sk", externalUnixSockets);
      args.flag("--shell-job", terminal).flag("--file-locks", fileLocks);
      for (String namespace : emptyNamespaces) {
        args.value("--empty-ns", namespace);
      }
      return args.flag("--leave-running", leaveRunning).end(id);
    }
  }

  /** Makes a container out of the files of a checkpoint and lets it run. */
  record Restore(String id, Path image, Path work, Optional<Path> parent, Path bundle, Path pidFile,
      Optional<Path> consoleSocket, boolean noPivot) implements RuncCommand {
    @Override
    public String name() {
      return "restore";
    }

    @Override
    public List<String> args() {
      var args = new Args(name()).value("--image-path", image).value("--work-path", work);
      args.value("--parent-path", parent).flag("--detach", true).value("--pid-file", pidFile);
      args.value("--console-socket", consoleSocket).flag("--no-pivot", noPivot);
      // one dash, as containerd's shims write it: wrappers around runc may match the word
      return args.flag("-no-subreaper", true).value("--bundle", bundle).end(id);
    }
  }

  /** Collects arguments in order. */
  final class Args {
    private final List<String> args = new ArrayList<>(16);

    private Args(String name) {
      args.add(name);
    }

    private Args value(String flag, Object value) {
      args.add(flag);
      args.add(value.toString());
      return this;
    }

    private Args value(String flag, Optional<Path> value) {
      return value.isPresent() ? value(flag, (Object) value.get()) : this;
    }

    private Args flag(String flag, boolean on) {
      if (on) {
        args.add(flag);
      }
      return this;
    }

    private List<String> end(String... last) {
      args.addAll(List.of(last));
      return args;
    }
  }
}
