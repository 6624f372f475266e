package io.loomshim.integration.harness;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The daemon of one namespace of a containerd, started with {@code take_over}, which tests kill. Used by the test's
 * thread.
 *
 * @param namespace no other daemon of this JVM's tests serves it
 */
public record TakenOver(String namespace) {
  /** Daemons that start from now on are taken over when they are killed, however often that happens. */
  public static void begin() {
    String options = Install.get().settings().getOrDefault("java_options", "");
    // a holder gives up at the third death within a minute
    Install.get().configure(
        Map.of("take_over", "true", "java_options", (options + " -Dloomshim.deaths.seconds=0").strip()));
  }

  /** From now on they are as usual; the daemons that run stay as they are. */
  public static void end() {
    Install.get().configure(
        Map.of("take_over", "", "java_options", Install.get().settings().getOrDefault("java_options", "")));
  }

  /** The daemons that serve it at this moment: none between two, or several after a change of what is inherited. */
  public List<Install.Daemon> all() {
    var found = new ArrayList<Install.Daemon>();
    for (Install.Daemon daemon : Install.get().daemons()) {
      Optional<Proc.Info> info = Proc.info(daemon.pid());
      if (info.isPresent() && info.get().commandLine().contains(" -namespace " + namespace + " ")) {
        found.add(daemon);
      }
    }
    return found;
  }

  /** The only daemon, once there is one. */
  public Install.Daemon daemon() {
    var found = new AtomicReference<List<Install.Daemon>>();
    Await.until("there is a daemon of " + namespace, () -> {
      found.set(all());
      return found.get().size() == 1;
    });
    return found.get().getFirst();
  }

  /** Kills it with SIGKILL, and returns when it is dead. */
  public void kill() {
    Death.of(daemon().pid());
  }

  /** The same; {@code meanwhile} is run before the next daemon is started. */
  public void kill(Runnable meanwhile) {
    Install.Daemon daemon = daemon();
    Death.<RuntimeException>of(daemon.pid(), Death.holder(daemon.directory()), meanwhile::run);
  }

  /** Ends all daemons of the namespace in order, and their holders. */
  public void endAll() {
    for (Install.Daemon daemon : all()) {
      long holder = Death.holder(daemon.directory());
      Proc.terminate(daemon.pid());
      Await.until("the daemon and its holder have ended", () -> !daemon.alive() && !Proc.alive(holder));
    }
  }
}
