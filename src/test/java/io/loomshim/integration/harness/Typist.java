package io.loomshim.integration.harness;

import io.loomshim.proto.task.CreateTaskRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A client of one terminal: two FIFOs, a reader of the output, and somebody who types. Used from one thread. */
public final class Typist implements AutoCloseable {
  private final Path directory;
  private final Path in;
  private final Path out;
  private Exec reader;

  /** Makes the FIFOs {@code NAME-in} and {@code NAME-out} and begins to read. */
  public Typist(Path directory, String name) {
    this.directory = directory;
    in = Bundle.fifo(directory.resolve(name + "-in"));
    out = Bundle.fifo(directory.resolve(name + "-out"));
    read();
  }

  /** Begins to read, in place of a reader that has left. */
  public void read() {
    reader = Exec.start(directory, new Exec.Setting(directory, Map.of()), List.of("cat", out.toString()));
  }

  /** The reader leaves. */
  public void leave() {
    reader.kill();
  }

  public CreateTaskRequest.Builder on(CreateTaskRequest.Builder request) {
    return request.setTerminal(true).setStdin(in.toString()).setStdout(out.toString());
  }

  public String in() {
    return in.toString();
  }

  public String out() {
    return out.toString();
  }

  /** Opens the FIFO, writes {@code text} and closes it. */
  public void type(String text) {
    var writer = Exec.start(directory, new Exec.Setting(directory, Map.of(), Exec.Setting.PIPE),
        List.of("sh", "-c", "exec cat > " + in));
    writer.feed(text.getBytes());
    writer.await(Ctr.LIMIT).ok();
  }

  /** What has been read so far. */
  public String output() {
    return reader.output();
  }

  public void awaitOutput(String end) {
    Await.until("the output ends with " + end, () -> output().endsWith(end));
  }

  /** Waits for the end of the output and returns all that this reader has read. */
  public String rest() {
    return reader.await(Ctr.LIMIT).ok().text();
  }

  @Override
  public void close() {
    reader.kill();
  }
}
