package io.loomshim.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Timestamp;
import io.loomshim.proto.record.ContainerEntry;
import io.loomshim.proto.record.DaemonEntry;
import io.loomshim.proto.record.ExecEntry;
import io.loomshim.proto.record.ProcessEntry;
import io.loomshim.proto.record.ProcessState;
import io.loomshim.record.Change;
import io.loomshim.record.Kinds;
import io.loomshim.record.Record;
import io.loomshim.record.RecordFile;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EndedTest {
  @TempDir Path directory;

  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  private int print(boolean json) throws Exception {
    try (var out = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
      return Ended.print(directory, json, out);
    }
  }

  private Path killed(String startTime) throws Exception {
    Path run = Files.createDirectory(directory.resolve("b1@shop@c.sock"));
    Timestamp start = Timestamp.newBuilder().setSeconds(1_795_999_917).build();
    Record record = Record.begin(run, DaemonEntry.newBuilder().setPid(ProcessHandle.current().pid())
        .setStartTime(startTime).setNamespace("shop").setMode("namespace").setBuild("b1").setStartedAt(start).build());
    var asked = ContainerEntry.newBuilder().setBundle("/bundles/web").build();
    record.write(Change.put(Kinds.CONTAINER, "new", asked));
    record.write(Change.put(Kinds.CONTAINER, "web", asked), Change.put(Kinds.INIT, "web",
        ProcessEntry.newBuilder().setState(ProcessState.PROCESS_RUNNING).setPid(12).build()));
    record.write(Change.put(Kinds.EXEC, "web/probe", ExecEntry.getDefaultInstance()));
    record.write(Change.put(Kinds.EXEC_PROCESS, "web/probe", ProcessEntry.newBuilder()
        .setState(ProcessState.PROCESS_STOPPED).setPid(15).setExitStatus(3).setSince(start).build()));
    record.leave();
    Path file = run.resolve(RecordFile.NAME);
    Files.setLastModifiedTime(file, FileTime.fromMillis(1_795_999_999_000L));
    return file;
  }

  @Test
  void aPageSaysWhatAKilledDaemonHad() throws Exception {
    Path file = killed("0");
    assertEquals(0, print(false));
    assertEquals("""
        daemon %d   namespace shop   mode namespace   killed after 2026-11-30T00:53:19Z
        build b1   started 2026-11-30T00:51:57Z
        record %s

        containers: 2
        CONTAINER     STATUS    PID  EXIT  BUNDLE
        new           creating    0        /bundles/web
        web           running    12        /bundles/web
          exec probe  stopped    15     3
        events that containerd had not taken: 0
        """.formatted(ProcessHandle.current().pid(), file), printed.toString(StandardCharsets.UTF_8));
  }

  @Test
  void jsonHasTheSame() throws Exception {
    killed("0");
    assertEquals(0, print(true));
    String json = printed.toString(StandardCharsets.UTF_8);
    assertTrue(json.startsWith("{\"format\":1,\"ended\":[{\"record\":"), json);
    assertTrue(json.contains("\"id\":\"probe\",\"status\":\"stopped\",\"pid\":15,\"exit_status\":3,"
        + "\"exited_at\":\"2026-11-30T00:51:57Z\""), json);
  }

  @Test
  void aDaemonThatRunsHasNotEnded() throws Exception {
    String stat = Files.readString(Path.of("/proc/self/stat"));
    killed(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19]);
    assertEquals(1, print(false));
    assertEquals("", printed.toString(StandardCharsets.UTF_8));
  }

  @Test
  void aRecordThatIsDamagedIsNamed() throws Exception {
    Path file = killed("0");
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 1] ^= 1;
    Files.write(file, bytes);
    assertEquals(1, print(false));
    String text = printed.toString(StandardCharsets.UTF_8);
    assertTrue(text.startsWith(file + " is damaged at byte "), text);
  }
}
