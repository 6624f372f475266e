package io.loomshim.takeover;

import com.google.protobuf.MessageLite;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Fd;
import io.loomshim.log.Log;
import io.loomshim.proto.handover.HandOverRequest;
import io.loomshim.proto.handover.HandOverResponse;
import io.loomshim.shelf.Holder;
import io.loomshim.shelf.Shelf;
import io.loomshim.shelf.StandBy;
import io.loomshim.threads.Threads;
import io.loomshim.ttrpc.Call;
import io.loomshim.ttrpc.Handler;
import io.loomshim.ttrpc.Server;
import io.loomshim.ttrpc.Service;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The ttrpc service {@value #SERVICE}: the daemon ends in favour of one of another build or with other settings, which
 * takes over from it. That one is started first, and says that it could; then calls are held back, those at work are
 * waited for, and the daemon ends. Until then nothing has changed, and whatever is in the way is told the caller.
 *
 * <p>One hand-over at a time. Any thread may call {@link #handle}. The class is loaded when a daemon starts, so it uses
 * no lambda there.
 */
public final class HandOver implements Handler<HandOverRequest> {
  /** The full name of the service. */
  public static final String SERVICE = "io.loomshim.handover.v1.HandOver";
  /** The bare name of its method. */
  public static final String METHOD = "HandOver";

  /** How long the next daemon may take to be ready, and calls to end, both together. */
  public static final Duration ANSWER_MAX = Duration.ofSeconds(40);

  /** How long calls are held back until those at work have ended: clients have limits of their own. */
  private static final Duration QUIET_WAIT_MAX = Duration.ofSeconds(5);

  /** How long the answer may take to be written. */
  private static final Duration WRITTEN_WAIT_MAX = Duration.ofSeconds(2);

  /** What a daemon says before the reason why it does not start. */
  private static final String ERROR = "error: ";

  /** The daemon that hands over. */
  public interface Present {
    /** What must not close with it. */
    Shelf shelf();

    /** The lock on the run directory. */
    Fd alive();

    /** Who starts the next daemon when this one is killed; empty without {@code take_over}. */
    Optional<Holder> holder();

    /** Whether all that has been written down stands in the record. */
    boolean recorded();
  }

  private final Present present;
  private final Path directory;
  private final AtomicBoolean underWay = new AtomicBoolean();
  private volatile Optional<Server> server = Optional.empty();
  private volatile Optional<StandBy> next = Optional.empty();

  /** {@code directory}: the run directory. */
  public HandOver(Present present, Path directory) {
    this.present = present;
    this.directory = directory;
  }

  /** The service for the daemon's server. */
  public Service service() {
    return new Service(SERVICE).method(METHOD, HandOverRequest.parser(), this);
  }

  /** Sets the server whose calls are held back. Call it before that server starts. */
  public void of(Server server) {
    this.server = Optional.of(server);
  }

  /** The daemon ends in order: there is no next one. */
  public void end() {
    next.ifPresent(StandBy::close);
  }

  @Override
  public MessageLite handle(Call call, HandOverRequest request) throws IOException, InterruptedException {
    Optional<Holder> holder = present.holder();
    if (holder.isEmpty() || present.shelf().broken()) {
      throw refusal("it keeps nothing for another daemon: it was started without take_over, or had to give that up"
          + " (see inspect)");
    }
    if (!present.recorded()) {
      throw refusal("its record lacks something, as there was no room in " + directory);
    }
    if (!underWay.compareAndSet(false, true)) {
      throw refusal("it is handing over already");
    }
    boolean begun = false;
    try {
      Fd pipe = holder.get().pipe();
      next = Optional.of(StandBy.start(request.getCommandList(), directory, present.shelf(), present.alive(), pipe));
      prepare(call, next.get());
      int pid = next.get().pid();
      Threads.start("hand-over", new Leaving(call, next.get(), holder.get(), pipe));
      begun = true;
      return HandOverResponse.newBuilder().setPid(pid).build();
    } finally {
      if (!begun) {
        abandon();
      }
    }
  }

  private static StatusException refusal(String text) {
    return new StatusException(Code.FAILED_PRECONDITION, text);
  }

  /** Returns when the next daemon is ready, and no call but this one is at work. */
  private void prepare(Call own, StandBy standBy) throws IOException, InterruptedException {
    String word = standBy.word();
    if (word.isEmpty()) {
      throw refusal("the next daemon did not come to say that it is ready; its words are in " + directory
          + "/daemon.log");
    }
    if (!word.equals(StandBy.READY)) {
      throw refusal(word.startsWith(ERROR) ? word.substring(ERROR.length()) : word);
    }
    if (!server.orElseThrow().hold(own, QUIET_WAIT_MAX)) {
      throw refusal("calls are at work: " + atWork(own));
    }
  }

  private String atWork(Call own) {
    List<Call> calls = server.orElseThrow().inFlight();
    for (Call call : calls) {
      if (call != own && !call.endless()) {
        return call + " since " + call.age().toSeconds() + " s";
      }
    }
    return "they have ended now, so try again";
  }

  private void abandon() {
    next.ifPresent(StandBy::close);
    next = Optional.empty();
    server.orElseThrow().release();
    underWay.set(false);
  }

  /** What is done when the answer has been written: this process ends, and the next one notices that. */
  private final class Leaving implements Runnable {
    private final Call own;
    private final StandBy standBy;
    private final Holder holder;
    private final Fd pipe;

    private Leaving(Call own, StandBy standBy, Holder holder, Fd pipe) {
      this.own = own;
      this.standBy = standBy;
      this.holder = holder;
      this.pipe = pipe;
    }

    @Override
    public void run() {
      try {
        awaitWritten();
        if (!standBy.ended() && present.recorded() && !present.shelf().broken() && holder.settle(pipe)) {
          Log.info("hands over to another daemon", "pid", Integer.toString(standBy.pid()));
          Runtime.getRuntime().halt(0); // in order is what nothing takes over from
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      Log.error("not handed over: the next daemon, the holder or the record was lost meanwhile");
      abandon();
    }

    private void awaitWritten() throws InterruptedException {
      long end = System.nanoTime() + WRITTEN_WAIT_MAX.toNanos();
      while (server.orElseThrow().inFlight().contains(own) && System.nanoTime() - end < 0) {
        Thread.sleep(1);
      }
    }
  }
}
