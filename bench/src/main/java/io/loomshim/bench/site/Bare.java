package io.loomshim.bench.site;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.proc.Proc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** runc alone, with a root directory of its own: the floor of everything that a shim has runc do. */
public final class Bare {
  private final Site site;

  public Bare(Site site) {
    this.site = site;
  }

  private List<String> runc(String... arguments) {
    var line = new ArrayList<>(List.of("runc", "--root", site.scope() + "/runc"));
    line.addAll(List.of(arguments));
    return line;
  }

  /** {@code runc run} of {@code true}: milliseconds. */
  public double run() throws IOException, InterruptedException {
    Path bundle = site.bundle(Side.FLOOR, "/bin/true");
    double millis = site.command().millis(runc("run", "--bundle", bundle.toString(), name(bundle)));
    Site.remove(bundle);
    return millis;
  }

  /** Milliseconds of {@code runc create}, {@code runc start}, and {@code runc delete} once the process has ended. */
  public List<Double> life() throws IOException, InterruptedException {
    Path bundle = site.bundle(Side.FLOOR, "/bin/sleep", "100000");
    String id = name(bundle);
    String pidFile = bundle.resolve("pid").toString();
    double create = site.command().millisUnread(
        runc("create", "--bundle", bundle.toString(), "--pid-file", pidFile, id));
    double start = site.command().millis(runc("start", id));
    site.command().millis(runc("kill", id, "KILL"));
    long pid = Long.parseLong(Files.readString(Path.of(pidFile)).strip());
    while (Proc.alive(pid)) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
    double delete = site.command().millis(runc("delete", id));
    Site.remove(bundle);
    return List.of(create, start, delete);
  }

  /** A container that sleeps; {@link #end} ends it. */
  public Path sleeper() throws IOException, InterruptedException {
    Path bundle = site.bundle(Side.FLOOR, "/bin/sleep", "100000");
    site.command().millisUnread(runc("run", "--detach", "--bundle", bundle.toString(), name(bundle)));
    return bundle;
  }

  public void end(Path bundle) throws IOException, InterruptedException {
    site.command().millis(runc("delete", "--force", name(bundle)));
    Site.remove(bundle);
  }

  /** A command of runc about a container, the name last: milliseconds. */
  public double about(Path bundle, String... arguments) throws IOException, InterruptedException {
    List<String> line = runc(arguments);
    line.add(name(bundle));
    return site.command().millis(line);
  }

  /** The command line that sends a signal to the first process of a container. */
  public List<String> kill(Path bundle, String signal) {
    return runc("kill", name(bundle), signal);
  }

  /** The command line that adds a process to a container. */
  public List<String> exec(Path bundle, String... process) {
    List<String> line = runc("exec", name(bundle));
    line.addAll(List.of(process));
    return line;
  }

  static String name(Path bundle) {
    return bundle.getFileName().toString();
  }
}
