package io.loomshim.stdio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.Pty;
import java.io.File;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.newsclub.net.unix.AFUNIXSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;

/** Descriptors as junixsocket sends them, which packs SCM_RIGHTS itself; the other tests send with code of our own. */
@Timeout(60)
class IndependentSenderTest {
  @TempDir Path directory;

  private Pty receive(FileDescriptor... sent) throws IOException, InterruptedException {
    try (var console = ConsoleSocket.open(Map.of("TMPDIR", directory.toString()));
        var client = AFUNIXSocket.connectTo(AFUNIXSocketAddress.of(console.path()))) {
      client.setOutboundFileDescriptors(sent);
      client.getOutputStream().write("/dev/pts/ptmx".getBytes(StandardCharsets.UTF_8));
      return console.receive(Deadline.in(Duration.ofSeconds(20)));
    }
  }

  @Test
  void aTerminalIsTaken() throws Exception {
    try (var master = new RandomAccessFile("/dev/ptmx", "rw")) {
      receive(master.getFD()).close();
    }
  }

  @Test
  void whatIsNoTerminalOrMoreThanOneIsRefused() throws Exception {
    try (var none = new RandomAccessFile(new File("/dev/null"), "rw");
        var master = new RandomAccessFile("/dev/ptmx", "rw")) {
      assertEquals("provided file is not a console",
          assertThrows(IOException.class, () -> receive(none.getFD())).getMessage());
      assertEquals("recvfd: number of fds is not 1: 2",
          assertThrows(IOException.class, () -> receive(master.getFD(), master.getFD())).getMessage());
    }
  }
}
