package io.loomshim.bench.loom;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.rpc.CallException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FailureTest {
  @TempDir Path directory;

  @Test
  void whatWasWrittenIsReadAgain() throws Exception {
    Path csv = directory.resolve("failures.csv");
    var failure = new Failure(Axis.WAITS, 500, Side.GROUP, "3, of 500 Waits", "no thread, for 5 s\nand so on");
    try (var file = Failure.file(csv)) {
      file.println(failure.line());
    }
    assertEquals(List.of(new Failure(Axis.WAITS, 500, Side.GROUP, "3; of 500 Waits", "no thread, for 5 s and so on")),
        Failure.read(csv));
  }

  @Test
  void aRunWithoutFailuresNeedsNoFile() throws Exception {
    assertEquals(List.of(), Failure.read(directory.resolve("failures.csv")));
    Files.createFile(directory.resolve("failures.csv"));
    assertEquals(List.of(), Failure.read(directory.resolve("failures.csv")));
  }

  @Test
  void theTextIsWhatTheClientWasTold() {
    var told = new CallException(8, "no thread for 5 s");
    assertEquals("RESOURCE_EXHAUSTED: no thread for 5 s", Failure.text(new IOException(new ExecutionException(told))));
    assertEquals("broken", Failure.text(new IOException("broken")));
    assertEquals("java.lang.IllegalStateException", Failure.text(new IllegalStateException()));
  }
}
