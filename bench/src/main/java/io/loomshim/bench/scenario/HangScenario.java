package io.loomshim.bench.scenario;

import com.google.protobuf.Any;
import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Spread;
import io.loomshim.bench.rpc.CallException;
import io.loomshim.bench.rpc.Caller;
import io.loomshim.bench.rpc.Task;
import io.loomshim.bench.site.Command;
import io.loomshim.bench.site.Site;
import io.loomshim.proto.runc.Options;
import io.loomshim.proto.task.StateRequest;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * State of many containers by one caller, in turn: the 99th percentile of the calls within a time, once while all is
 * well and once while the runc of one more container sleeps in its create instead of working.
 */
final class HangScenario implements Scenario {
  private static final int SLEEP_SECONDS = 2;

  @Override
  public void measure(Plan plan) throws IOException, InterruptedException {
    Site site = plan.site();
    int neighbours = plan.size().pick(3, 50, 50);
    Path runc = runc(site.scope());
    for (Side side : plan.shims()) {
      List<String> ids = site.sleepers(side, neighbours);
      try (var callers = new Ring(site, ids)) {
        callers.callFor(new Until(SLEEP_SECONDS)); // warms up
        for (int round = 0; round < plan.size().pick(1, 3, 5); round++) {
          double calm = callers.callFor(new Until(SLEEP_SECONDS));
          plan.samples().add(Figure.NEIGHBOURS, neighbours, side, calm);
          plan.samples().add(Figure.NEIGHBOURS_HUNG, neighbours, side, besideAHungOne(site, side, callers, runc));
        }
      }
      site.end(ids);
    }
    Files.delete(runc);
  }

  /** A runc that sleeps and fails where it should create. */
  private static Path runc(Path directory) throws IOException {
    Path program = directory.resolve("sleeping-runc");
    Files.writeString(program, "#!/bin/sh\ncase \" $* \" in *' create '*) : > \"$0.sleeps\"; sleep " + SLEEP_SECONDS
        + "; exit 1 ;; *) exec runc \"$@\" ;; esac\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    return program;
  }

  private static double besideAHungOne(Site site, Side side, Ring callers, Path runc)
      throws IOException, InterruptedException {
    Path bundle = site.bundle(side, "/bin/sleep", "100000");
    Path sleeps = Path.of(runc + ".sleeps");
    Command command = site.in(bundle);
    double tail;
    try (var log = new RandomAccessFile(bundle.resolve("log").toFile(), "rw")) {
      assert log.getFD().valid();
      command.output(site.shim(side, bundle, "start"));
      Path socket = Path.of(Files.readString(bundle.resolve("address")).replace("unix://", "").strip());
      var options = Options.newBuilder().setBinaryName(runc.toString()).build();
      var any = Any.newBuilder().setTypeUrl("containerd.runc.v1.Options").setValue(options.toByteString()).build();
      try (Task task = Task.connect(socket, bundle.getFileName().toString())) {
        var failed = new AtomicBoolean();
        Thread hung = Thread.ofPlatform().start(() -> failed.set(fails(task, bundle, any)));
        while (!Files.exists(sleeps) && hung.isAlive()) {
          Thread.onSpinWait();
        }
        tail = callers.callFor(hung::isAlive);
        hung.join();
        if (!failed.get()) {
          throw new IOException("a create succeeded with a runc that fails");
        }
        command.output(site.shim(side, bundle, "delete"));
        task.shutdown();
      }
      if (!side.shared()) {
        Files.deleteIfExists(socket);
      }
    }
    Files.delete(sleeps);
    Site.remove(bundle);
    return tail;
  }

  private static boolean fails(Task task, Path bundle, Any options) {
    try {
      task.create(bundle, options);
      return false;
    } catch (CallException e) {
      return true;
    } catch (IOException | InterruptedException e) {
      return false;
    }
  }

  private interface While {
    boolean goesOn();
  }

  /** A time from now. */
  private static final class Until implements While {
    private final long end;

    Until(int seconds) {
      end = System.nanoTime() + seconds * 1_000_000_000L;
    }

    @Override
    public boolean goesOn() {
      return System.nanoTime() < end;
    }
  }

  /** A connection for each container. */
  private static final class Ring implements AutoCloseable {
    private final List<Caller> callers = new ArrayList<>();

    Ring(Site site, List<String> ids) throws IOException {
      for (String id : ids) {
        callers.add(Caller.connect(site.socket(id), "State", StateRequest.newBuilder().setId(id).build()));
      }
    }

    /** One call after the other; the 99th percentile in microseconds. */
    double callFor(While time) throws IOException {
      var micros = new ArrayList<Double>();
      for (int i = 0; micros.isEmpty() || time.goesOn(); i++) {
        micros.add(callers.get(i % callers.size()).call());
      }
      return new Spread(micros).at(0.99);
    }

    @Override
    public void close() throws IOException {
      for (Caller caller : callers) {
        caller.close();
      }
    }
  }
}
