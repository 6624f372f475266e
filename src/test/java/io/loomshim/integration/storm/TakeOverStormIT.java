package io.loomshim.integration.storm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * SIGKILL of the daemon at random moments, also while another one takes over, under clients that do everything: each of
 * them knows what it must see ({@link Player}).
 */
final class TakeOverStormIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  /** {@code -Dloomshim.long=true} makes it the full count. */
  private static final boolean LONG = Boolean.getBoolean("loomshim.long");
  private static final int KILLS = LONG ? 500 : 50;
  private static final int BYSTANDERS = LONG ? 190 : 8;

  /** A holder gives up at the third death within a minute, for which a storm has no time. */
  private static final Map<String, String> SETTINGS =
      Map.of("take_over", "true", "java_options", "-Dloomshim.deaths.seconds=0");

  @BeforeAll
  static void ours() {
    Shim.assumeOurs("no other shim is taken over");
  }

  /** The daemon that lives, whether it serves already or is about to take over. */
  private static Optional<Long> daemon(OwnDaemon own) {
    long holder = own.holder();
    return Proc.all().values().stream().filter(info -> info.parent() == holder && !info.zombie())
        .map(Proc.Info::pid).findFirst().or(() -> Optional.of(own.current()).filter(Proc::alive));
  }

  private static void pause(Random random, int millisMax) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(millisMax)));
  }

  private static int kill(OwnDaemon own, Random random, boolean again) {
    var found = new AtomicReference<Optional<Long>>(Optional.empty());
    Await.until("there is a daemon", () -> {
      found.set(daemon(own)); // it may be another one the next moment, or none
      return found.get().isPresent();
    });
    Proc.kill(found.get().orElseThrow());
    if (!again) {
      return 1;
    }
    pause(random, 300); // the next one is about to take over
    return 1 + kill(own, random, random.nextInt(3) == 0);
  }

  @Test
  void nobodySeesAnythingButAPause() throws Exception {
    long seed = Long.getLong("loomshim.seed", System.nanoTime());
    System.err.println("seed " + seed);
    var random = new Random(seed);
    try (var own = new OwnDaemon(BED.rootfs(), SETTINGS); var first = own.running("sleep", "1000")) {
      var game = new Game(own, first, BED.directory());
      var players = new ArrayList<Player>();
      for (int i = 0; i < BYSTANDERS; i++) {
        players.add(new Bystander(game, "bystander" + i));
      }
      for (int i = 0; i < 3; i++) {
        players.add(new Execs(game, "execs" + i, new Random(random.nextLong())));
      }
      var attached = List.<Player>of(new Streams(game, "streams"), new Streams(game, "file"),
          new Terminal(game, "terminal"));
      players.addAll(attached);
      players.add(new Pauses(game, "pauses"));
      players.add(new Lives(game, "lives", new Random(random.nextLong())));
      players.forEach(Player::begin);
      for (Player player : attached) {
        player.awaitAttached();
      }
      var pauses = new ArrayList<Long>();
      for (int kills = 0; kills < KILLS && game.problems().isEmpty();) {
        pause(random, 700);
        kills += kill(own, random, random.nextInt(4) == 0);
        long at = System.nanoTime();
        assertEquals("RUNNING", first.state("").getStatus().name(), "seed " + seed);
        pauses.add((System.nanoTime() - at) / 1_000_000);
      }
      game.over();
      players.forEach(Player::end);
      pauses.sort(null);
      System.err.println("seed " + seed + ": " + game.told() + ", " + pauses.size() + " pauses, in ms median "
          + pauses.get(pauses.size() / 2) + ", longest " + pauses.getLast());
      assertEquals(List.of(), game.problems(), "seed " + seed);
    }
  }
}
