package io.loomshim.metrics;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/**
 * The kinds of JFR event. Only {@link Flight} uses them, and only when JFR has been started. Each kind has one object
 * that tells whether a recording wants the kind; when none does, no event is made. Stateless.
 */
final class Events {
  private static final RpcEvent RPC = new RpcEvent();
  private static final RuncEvent RUNC = new RuncEvent();
  private static final ProcessStartEvent START = new ProcessStartEvent();
  private static final ProcessExitEvent EXIT = new ProcessExitEvent();

  private Events() {}

  static Span rpc() {
    return RPC.isEnabled() ? new RpcSpan() : Span.NONE;
  }

  static Span runc() {
    return RUNC.isEnabled() ? new RuncSpan() : Span.NONE;
  }

  static void processStarted(String container, String exec, int pid) {
    if (START.isEnabled()) {
      var event = new ProcessStartEvent();
      event.container = container;
      event.exec = exec;
      event.pid = pid;
      event.kind = kind(exec);
      event.commit();
    }
  }

  static void processEnded(String container, String exec, int pid, int status) {
    if (EXIT.isEnabled()) {
      var event = new ProcessExitEvent();
      event.container = container;
      event.exec = exec;
      event.pid = pid;
      event.kind = kind(exec);
      event.status = status;
      event.commit();
    }
  }

  private static String kind(String exec) {
    return exec.isEmpty() ? "init" : "exec";
  }

  private static final class RpcSpan extends Span {
    private final RpcEvent event = new RpcEvent();

    RpcSpan() {
      event.begin();
    }

    @Override
    public void within(String traceparent) {
      event.traceparent = traceparent;
    }

    @Override
    public void end(String what, String container, String exec, String outcome) {
      event.method = what;
      event.container = container;
      event.exec = exec;
      event.code = outcome;
      event.commit();
    }
  }

  private static final class RuncSpan extends Span {
    private final RuncEvent event = new RuncEvent();

    RuncSpan() {
      event.begin();
    }

    @Override
    public void end(String what, String container, String exec, String outcome) {
      event.command = what;
      event.container = container;
      event.status = outcome;
      event.commit();
    }
  }

  @Name("io.loomshim.Rpc")
  @Label("Call")
  @Description("A call of containerd, from the arrival of the request to the reply")
  @Category("loomshim")
  @StackTrace(false)
  private static final class RpcEvent extends Event {
    @Label("Method") String method;
    @Label("Container") String container;
    @Label("Exec") String exec;
    @Label("Code") @Description("OK, or the name of the error") String code;
    @Label("Trace Parent") @Description("The caller's span, as W3C Trace Context writes it") String traceparent;
  }

  @Name("io.loomshim.Runc")
  @Label("Runtime Command")
  @Description("A command of runc or another runtime, from its start to its end")
  @Category("loomshim")
  @StackTrace(false)
  private static final class RuncEvent extends Event {
    @Label("Command") String command;
    @Label("Container") String container;
    @Label("Status") @Description("Its exit status, or why it was killed or did not start") String status;
  }

  @Name("io.loomshim.ProcessStart")
  @Label("Process Start")
  @Category("loomshim")
  @StackTrace(false)
  private static final class ProcessStartEvent extends Event {
    @Label("Container") String container;
    @Label("Exec") String exec;
    @Label("Pid") int pid;
    @Label("Kind") @Description("init or exec") String kind;
  }

  @Name("io.loomshim.ProcessExit")
  @Label("Process Exit")
  @Category("loomshim")
  @StackTrace(false)
  private static final class ProcessExitEvent extends Event {
    @Label("Container") String container;
    @Label("Exec") String exec;
    @Label("Pid") int pid;
    @Label("Kind") @Description("init or exec") String kind;
    @Label("Status") @Description("Exit code, or 128 + the number of the signal") int status;
  }
}
