package io.loomshim.metrics;

import io.loomshim.log.Log;
import jdk.jfr.FlightRecorder;

/**
 * The JFR events of a daemon: {@code io.loomshim.Rpc}, {@code Runc}, {@code ProcessStart} and {@code ProcessExit}.
 *
 * <p>Until JFR is started, an operation costs one read of a static field of {@link FlightRecorder}, the only class of
 * JFR that is loaded then, by the first call. {@link Events} must not be touched before: the first use of an event
 * class starts JFR, which takes 9 MB. May be used from any thread.
 */
public final class Flight {
  private Flight() {}

  /** Asks whether JFR has been started. A class of its own, because a JVM may have no module jdk.jfr. */
  private static final class Recorder {
    private static final boolean PRESENT = present();

    private static boolean present() {
      try {
        FlightRecorder.isInitialized();
        return true;
      } catch (LinkageError e) {
        Log.debug("no JFR events: this JVM has no module jdk.jfr", "error", e.toString());
        return false;
      }
    }

    static boolean started() {
      return PRESENT && FlightRecorder.isInitialized();
    }
  }

  /** Begins the event of a call. */
  public static Span rpc() {
    return Recorder.started() ? Events.rpc() : Span.NONE;
  }

  /** Begins the event of a command of the runtime. */
  public static Span runc() {
    return Recorder.started() ? Events.runc() : Span.NONE;
  }

  /** Records that a process of a container runs; {@code exec} is empty for its init. */
  public static void processStarted(String container, String exec, int pid) {
    if (Recorder.started()) {
      Events.processStarted(container, exec, pid);
    }
  }

  /** Records that a process of a container has ended; {@code exec} is empty for its init. */
  public static void processEnded(String container, String exec, int pid, int status) {
    if (Recorder.started()) {
      Events.processEnded(container, exec, pid, status);
    }
  }
}
