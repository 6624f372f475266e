package io.loomshim.ttrpc;

import static org.awaitility.Awaitility.await;

import com.google.protobuf.Empty;
import io.loomshim.testing.Seeded;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Random bytes in the place of frames. */
@Timeout(120)
class FuzzTest {
  private static final int CONNECTIONS = 400;
  private static final int FRAMES_MAX = 20;

  @Test
  void noBytesOfOneConnectionHarmAnother() throws Exception {
    var random = Seeded.random("noBytesOfOneConnectionHarmAnother");
    try (var stand = new Stand()) {
      for (int i = 0; i < CONNECTIONS; i++) {
        attack(stand, random);
        if (i % 20 == 0) {
          stand.assertServes();
        }
      }
      stand.assertServes();
      await().until(() -> stand.server.connections() == 0);
    }
  }

  private static void attack(Stand stand, Random random) throws Exception {
    Thread reader;
    try (Peer peer = stand.peer()) {
      reader = Threads.start("fuzz-reader", () -> {
        try {
          while (true) {
            peer.receive();
          }
        } catch (IOException e) {
          // either side closed
        }
      });
      for (int i = random.nextInt(FRAMES_MAX); i >= 0; i--) {
        frame(peer, random);
      }
    } catch (IOException e) {
      return; // the server may close
    }
    reader.join();
  }

  private static void frame(Peer peer, Random random) throws IOException {
    byte[] good = Frame.request(Stand.SERVICE, random.nextBoolean() ? "Nothing" : "Hold", Empty.getDefaultInstance(),
        random.nextBoolean() ? 0 : random.nextLong(), Stand.NO_METADATA);
    Frame.number(good, random.nextInt());
    switch (random.nextInt(6)) {
      case 0 -> peer.bytes(good);
      case 1 -> peer.bytes(Arrays.copyOf(good, random.nextInt(good.length)));
      case 2 -> {
        for (int i = random.nextInt(4); i >= 0; i--) {
          good[random.nextInt(good.length)] = (byte) random.nextInt();
        }
        peer.bytes(good);
      }
      case 3 -> {
        byte[] noise = new byte[random.nextInt(3000)];
        random.nextBytes(noise);
        peer.bytes(noise);
      }
      case 4 -> {
        // a length of up to 4 GiB - 1, and some of that
        long length = random.nextBoolean() ? 0xffff_ffffL : random.nextLong(1L << 32);
        peer.header(length, random.nextInt(), random.nextInt(4));
        peer.bytes(new byte[(int) Math.min(length, random.nextInt(200_000))]);
      }
      default -> {
        byte[] noise = new byte[random.nextInt(3000)];
        random.nextBytes(noise);
        peer.send(random.nextInt() | 1, 1, noise);
      }
    }
  }
}
