package io.loomshim.stdio;

import io.loomshim.threads.Aside;
import java.io.IOException;

/**
 * Opens the streams of a process without a terminal in one step, as far as no reader must be waited for: each step
 * costs two changes of threads.
 */
record Opening(String name, ProcessIo.Owner owner, String stdin, Target stdout, Target stderr)
    implements Aside.Step<ProcessIo>, Aside.Undoing<ProcessIo> {
  /** Those that can be opened at once, in their order; ends before a fifo without a reader. */
  ProcessIo open() throws IOException, InterruptedException {
    boolean none = stdin.isEmpty() && stdout instanceof Target.None && stderr instanceof Target.None;
    return none ? run() : Aside.run(what(), this, this);
  }

  private String what() {
    String input = stdin.isEmpty() ? "" : " " + stdin;
    String output = stdout instanceof Target.None ? "" : " " + stdout.text();
    String error = stderr instanceof Target.None || stderr.same(stdout) ? "" : " " + stderr.text();
    return "open" + input + output + error;
  }

  @Override
  public ProcessIo run() throws IOException, InterruptedException {
    var io = new ProcessIo(name, owner);
    try {
      io.input(stdin);
      io.outputs(stdout, stderr, false);
      return io;
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      io.close();
      throw e;
    }
  }

  @Override
  public void undo(ProcessIo made) {
    made.close();
  }
}
