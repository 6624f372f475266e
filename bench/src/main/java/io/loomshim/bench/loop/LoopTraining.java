package io.loomshim.bench.loop;

import com.google.protobuf.Empty;
import io.loomshim.bench.rpc.Caller;
import io.loomshim.training.Training;
import java.nio.file.Files;
import java.nio.file.Path;

/** The dry run for the start-up archive of {@link LoopMain}: a call on an event loop, then what the daemon's does. */
public final class LoopTraining {
  private LoopTraining() {}

  /** Ends the JVM. */
  public static void main(String[] args) throws Exception {
    Path socket = Files.createTempDirectory("loop-train").resolve("s");
    var server = new LoopServer((call, request) -> call.reply(request));
    server.listen(socket);
    try (Caller caller = Caller.connect(socket, "State", Empty.getDefaultInstance())) {
      caller.call();
    }
    server.close();
    Files.deleteIfExists(socket);
    Files.delete(socket.getParent());
    Training.main(args);
  }
}
