package io.loomshim.insight;

import io.loomshim.log.Log;
import jdk.jfr.FlightRecorder;

/**
 * The JFR events of a daemon: {@code io.loomshim.Rpc}, {@code Runc}, {@code ProcessStart} and {@code ProcessExit}.
 *
 * <p>Until somebody begins a recording, all that an operation pays is a read of a static field of
 * {@link FlightRecorder}, the only class of JFR that is loaded then, by the first call. {@link Events} must not be
 * touched before: the first use of an event class starts JFR, which takes 9 MB. May be used from any thread.
 */
public final class Flight {
  private Flight() {}

  /** Whether JFR has been started; asked by a class of its own, since a JVM may have none. */
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

  /** A call begins. */
  public static Span rpc() {
    return Recorder.started() ? Events.rpc() : Span.NONE;
  }

  /** A command of the runtime begins. */
  public static Span runc() {
    return Recorder.started() ? Events.runc() : Span.NONE;
  }

  /** A process of a container runs; {@code exec} is empty for its init. */
  public static void processStarted(String container, String exec, int pid) {
    if (Recorder.started()) {
      Events.processStarted(container, exec, pid);
    }
  }

  /** A process of a container has ended; {@code exec} is empty for its init. */
  public static void processEnded(String container, String exec, int pid, int status) {
    if (Recorder.started()) {
      Events.processEnded(container, exec, pid, status);
    }
  }
}
