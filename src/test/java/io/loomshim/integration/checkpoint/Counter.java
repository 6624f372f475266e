package io.loomshim.integration.checkpoint;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import io.loomshim.proto.runc.CheckpointOptions;
import io.loomshim.proto.runc.Options;
import io.loomshim.proto.task.CreateTaskRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * A container that counts: each number is a line of its output and the content of {@code /run/n}. {@link #save} and
 * {@link #restored} carry the count over into another one.
 */
final class Counter implements AutoCloseable {
  /** What the output goes through. */
  enum Kind { NOTHING, FIFO, FILE, LOGGER, OWNED, TERMINAL }

  private static final String SCRIPT =
      "i=0; while true; do i=$((i+1)); echo $i; echo $i > /run/n; sleep 0.05; done";

  private final Bed bed;
  private final Kind kind;
  private final ShimClient task;
  private final Path output;
  private final Optional<Exec> reader;

  private Counter(Bed bed, Shim shim, Kind kind, Optional<Path> image) {
    this.bed = bed;
    this.kind = kind;
    var bundle = bed.shims().bundle(Names.id("counter"), "sh", "-c", SCRIPT);
    if (kind == Kind.TERMINAL) {
      bundle.withTerminal();
    }
    output = bundle.path().resolve("out");
    boolean fifo = kind == Kind.FIFO || kind == Kind.OWNED || kind == Kind.TERMINAL;
    reader = fifo ? Optional.of(cat(Bundle.fifo(output))) : Optional.empty();
    var options = Shims.any("containerd.runc.v1.Options",
        Options.newBuilder().setIoUid(kind == Kind.OWNED ? 1234 : 0).build());
    task = bed.shims().start(shim, bundle, Optional.of(options));
    String stdout = switch (kind) {
      case NOTHING -> "";
      case FIFO, OWNED, TERMINAL -> output.toString();
      case FILE -> "file://" + output;
      case LOGGER -> "binary://" + logger(bundle.path());
    };
    create(image, request -> request.setStdout(stdout).setStderr(kind == Kind.TERMINAL ? "" : stdout)
        .setTerminal(kind == Kind.TERMINAL).setOptions(options));
  }

  private void create(Optional<Path> image, UnaryOperator<CreateTaskRequest.Builder> more) {
    orClose(() -> {
      int pid = task.create(r -> more.apply(r.setCheckpoint(image.map(Path::toString).orElse(""))));
      if (pid != 0 == image.isPresent()) {
        throw new AssertionError("pid " + pid);
      }
    });
  }

  private void orClose(Runnable step) {
    try {
      step.run();
    } catch (RuntimeException | AssertionError e) {
      close();
      throw e;
    }
  }

  /** A new one that has begun to count. */
  static Counter started(Bed bed, Shim shim, Kind kind) {
    return new Counter(bed, shim, kind, Optional.empty()).start();
  }

  /** One that goes on from {@code image}. */
  static Counter restored(Bed bed, Shim shim, Kind kind, Path image) {
    return new Counter(bed, shim, kind, Optional.of(image)).start();
  }

  private Counter start() {
    orClose(task::start);
    return this;
  }

  private Exec cat(Path fifo) {
    return Exec.start(bed.directory(), new Exec.Setting(bed.directory(), Map.of()), List.of("cat", fifo.toString()));
  }

  private Path logger(Path directory) {
    try {
      Path script = directory.resolve("logger");
      Files.writeString(script, "#!/bin/sh\n/bin/cat <&3 5>&- > " + output + " & exec 5>&-; wait\n");
      Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
      return script;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  ShimClient task() {
    return task;
  }

  /** The options that this kind needs. */
  CheckpointOptions.Builder options() {
    return CheckpointOptions.newBuilder().setTerminal(kind == Kind.TERMINAL);
  }

  /** Saves it, and with that ends it; the exit status. */
  int save(Path image) {
    task.checkpoint(image, options().setExit(true).build());
    int status = task.await("").getExitStatus();
    task.delete("");
    return status;
  }

  /** The number in {@code /run/n}, 0 before the first. */
  int number() {
    try {
      Path file = Path.of("/proc/" + task.state("").getPid() + "/root/run/n");
      String text = Files.exists(file) ? Files.readString(file).strip() : "";
      return text.isEmpty() ? 0 : Integer.parseInt(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits until it has gone on for {@code more} numbers. */
  Counter counts(int more) {
    int now = number();
    Await.until("it counts", () -> number() >= now + more);
    return this;
  }

  /** The numbers that have come through the output. */
  List<Integer> numbers() {
    if (kind == Kind.NOTHING) {
      return List.of();
    }
    String text = reader.isPresent() ? reader.get().output() : read(output);
    return text.substring(0, text.lastIndexOf('\n') + 1).lines().map(line -> Integer.parseInt(line.strip())).toList();
  }

  private static String read(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      task.close();
    } finally {
      reader.ifPresent(Exec::kill);
    }
  }
}
