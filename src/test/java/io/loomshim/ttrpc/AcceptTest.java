package io.loomshim.ttrpc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.log.Log;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A server that cannot accept connections for a while. */
@Timeout(60)
class AcceptTest {
  @Test
  void theBackoffDoublesUpToASecondAndStartsAnewAfterSuccess() {
    var backoff = new Backoff(new Random(1));
    for (int round = 0; round < 2; round++) {
      long bound = 1;
      for (int i = 0; i < 20; i++) {
        long millis = backoff.failed();
        assertTrue(millis >= 1 && millis <= bound, millis + " of " + bound);
        bound = Math.min(2 * bound, 1000);
      }
      backoff.succeeded();
    }
  }

  /** A helper lowers our limit of open files to none more, and raises it again when told. */
  @Test
  void aServerWithoutFileDescriptorsServesAgainWhenItHasSome() throws Exception {
    List<String> log = new CopyOnWriteArrayList<>();
    try (var stand = new Stand()) {
      stand.assertServes(); // loads the classes, which needs descriptors too
      Log.to((id, line) -> log.add(new String(line, StandardCharsets.UTF_8)));
      long pid = ProcessHandle.current().pid();
      String script = "old=$(prlimit --pid " + pid + " --nofile --output SOFT --noheadings --raw); read n; "
          + "prlimit --pid " + pid + " --nofile=$n:; echo low; read x; prlimit --pid " + pid + " --nofile=$old:";
      Process helper = new ProcessBuilder("sh", "-c", script).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      try (var out = helper.getOutputStream();
          var in = new BufferedReader(new InputStreamReader(helper.getInputStream(), StandardCharsets.UTF_8))) {
        Peer[] peers = new Peer[3];
        try {
          // the client's end is opened first, so that only the server's is one too many
          peers[0] = stand.peer();
          await().until(() -> stand.server.connections() == 1);
          var unconnected = java.nio.channels.SocketChannel.open(java.net.StandardProtocolFamily.UNIX);
          out.write((lowest() + "\n").getBytes(StandardCharsets.UTF_8));
          out.flush();
          assertEquals("low", in.readLine());
          unconnected.connect(java.net.UnixDomainSocketAddress.of(stand.socket));
          peers[1] = new Peer(unconnected);
          await().until(() -> log.size() >= 3);
          assertTrue(log.get(0).contains("accept failed"), log.toString());
          assertEquals(1, stand.server.connections());
        } finally {
          out.write('\n');
          out.flush();
        }
        assertEquals(0, helper.waitFor());
        await().until(() -> stand.server.connections() == 2);
        stand.assertServes();
        peers[0].close();
        peers[1].close();
      }
    } finally {
      Log.to((id, line) -> System.err.write(line, 0, line.length));
    }
  }

  /** Returns the lowest descriptor number that is free: as a limit it leaves none. */
  private static int lowest() {
    int fd = 0;
    while (Files.exists(Path.of("/proc/self/fd/" + fd), java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
      fd++;
    }
    return fd;
  }
}
