package io.loomshim.bench.scenario;

import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Spread;
import io.loomshim.bench.rpc.Task;
import io.loomshim.bench.site.Bare;
import io.loomshim.bench.site.Site;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Bytes through stdout, stdin and terminals: how long many take, and how long a few take there and back. */
final class StreamScenario implements Scenario {
  private static final int MIB = 1 << 20;
  private static final int BUFFER_BYTES = MIB;

  /** Few enough to be one piece everywhere. */
  private static final int FEW_BYTES = 8;

  @Override
  public void measure(Plan plan) throws IOException, InterruptedException {
    Site site = plan.site();
    int stdout = plan.size().pick(16, 1024, 1024);
    int pty = plan.size().pick(2, 100, 100);
    var ids = new LinkedHashMap<Side, String>();
    for (Side side : plan.shims()) {
      ids.put(side, site.sleeper(side));
    }
    for (int i = 0; i < plan.size().pick(1, 2, 5); i++) {
      for (Side side : plan.shims()) {
        var line = site.runRemoved(side, site.id("b"), dd(stdout));
        plan.samples().add(Figure.STDOUT_CTR, stdout, side, site.command().millisUnread(line) / 1e3);
        plan.samples().add(Figure.STDOUT, stdout, side, seconds(site, ids.get(side), stdout, false));
        plan.samples().add(Figure.PTY, pty, side, seconds(site, ids.get(side), pty, true));
      }
      if (plan.floor()) {
        plan.samples().add(Figure.STDOUT, stdout, Side.FLOOR, bareSeconds(site, stdout));
      }
    }
    for (int i = 0; i < plan.size().rounds(); i++) {
      for (Map.Entry<Side, String> each : ids.entrySet()) {
        int count = plan.size().pick(10, 200, 500);
        plan.samples().add(Figure.KEYSTROKE, each.getKey(), echo(site, each.getValue(), true, 1, count).median());
        plan.samples().add(Figure.PIPE, each.getKey(), echo(site, each.getValue(), false, FEW_BYTES, count).median());
      }
    }
    site.endAll();
  }

  private static String[] dd(int mib) {
    return new String[] {"/bin/dd", "if=/dev/zero", "bs=64k", "count=" + mib * 16, "status=none"};
  }

  /** A process with FIFOs of ours, which we hold open for reading and writing: opening them waits for nobody. */
  private record Process(Task task, String exec, RandomAccessFile in, RandomAccessFile out, RandomAccessFile err,
      List<Path> files) implements AutoCloseable {
    static Process add(Site site, String id, boolean terminal, String... process)
        throws IOException, InterruptedException {
      String exec = site.id("e");
      Path directory = Files.createDirectories(site.scope().resolve("streams"));
      Path in = site.fifo(directory.resolve(exec + "-in"));
      Path out = site.fifo(directory.resolve(exec + "-out"));
      // the Go shims want all three or none
      Path err = site.fifo(directory.resolve(exec + "-err"));
      var added = new Process(Task.connect(site.socket(id), id), exec, new RandomAccessFile(in.toFile(), "rw"),
          new RandomAccessFile(out.toFile(), "rw"), new RandomAccessFile(err.toFile(), "rw"), List.of(in, out, err));
      String errors = terminal ? "" : err.toString();
      added.task.exec(exec, new Task.Streams(in.toString(), out.toString(), errors, terminal), process);
      return added;
    }

    @Override
    public void close() throws IOException {
      task.close();
      in.close();
      out.close();
      err.close();
      for (Path file : files) {
        Files.delete(file);
      }
    }
  }

  /** Seconds from Start until {@code mib} mebibytes have arrived. */
  private static double seconds(Site site, String id, int mib, boolean terminal)
      throws IOException, InterruptedException {
    try (var process = Process.add(site, id, terminal, dd(mib))) {
      long begin = System.nanoTime();
      process.task().start(process.exec());
      var buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
      for (long left = (long) mib * MIB; left > 0; left -= buffer.position()) {
        buffer.clear().limit((int) Math.min(left, BUFFER_BYTES));
        process.out().getChannel().read(buffer);
      }
      double seconds = (System.nanoTime() - begin) / 1e9;
      int status = process.task().await(process.exec());
      process.task().delete(process.exec());
      if (status != 0) {
        throw new IOException("dd ended with " + status);
      }
      return seconds;
    }
  }

  /** Microseconds from writing {@code bytes} to a process that copies its input to its output until they are back. */
  private static Spread echo(Site site, String id, boolean terminal, int bytes, int count)
      throws IOException, InterruptedException {
    String[] cat = terminal ? new String[] {"/bin/sh", "-c", "stty raw -echo; echo ready; exec cat"}
        : new String[] {"/bin/sh", "-c", "echo ready; exec cat"};
    try (var process = Process.add(site, id, terminal, cat)) {
      process.task().start(process.exec());
      process.out().readFully(new byte["ready\n".length()]);
      var micros = new ArrayList<Double>();
      byte[] data = new byte[bytes];
      java.util.Arrays.fill(data, (byte) 'x');
      for (int i = 0; i < count; i++) {
        long begin = System.nanoTime();
        process.in().write(data);
        process.out().readFully(data);
        micros.add((System.nanoTime() - begin) / 1e3);
      }
      process.task().kill(process.exec());
      process.task().await(process.exec());
      process.task().delete(process.exec());
      return new Spread(micros);
    }
  }

  /** The same bytes from {@code runc exec} through a pipe. */
  private static double bareSeconds(Site site, int mib) throws IOException, InterruptedException {
    var bare = new Bare(site);
    Path bundle = bare.sleeper();
    long begin = System.nanoTime();
    var process = site.command().start(bare.exec(bundle, dd(mib)));
    byte[] buffer = new byte[BUFFER_BYTES];
    long total = 0;
    try (var output = process.getInputStream()) {
      for (int read = output.read(buffer); read >= 0; read = output.read(buffer)) {
        total += read;
      }
    }
    double seconds = (System.nanoTime() - begin) / 1e9;
    if (process.waitFor() != 0 || total != (long) mib * MIB) {
      throw new IOException("runc exec of dd: " + total + " bytes");
    }
    bare.end(bundle);
    return seconds;
  }
}
