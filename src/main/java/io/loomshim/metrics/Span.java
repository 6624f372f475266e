package io.loomshim.metrics;

/**
 * An operation that becomes a JFR event when it ends, begun by {@link Flight}. While there is no recording, every span
 * is {@link #NONE}. One thread begins it and ends it.
 */
public abstract class Span {
  /** An operation that is not recorded. */
  public static final Span NONE = new None();

  Span() {}

  /** Says of which trace the operation is a part: the {@code traceparent} of its caller (W3C Trace Context). */
  public void within(String traceparent) {
    // only a call has a caller
  }

  /**
   * Ends the operation.
   *
   * @param what the method or the command
   * @param container the container that it was for, may be empty
   * @param exec the exec of that container, may be empty
   * @param outcome the code or the status
   */
  public abstract void end(String what, String container, String exec, String outcome);

  /** Ends an operation for {@code subject}. */
  public final void end(String what, Subject subject, String outcome) {
    end(what, subject.container(), subject.exec(), outcome);
  }

  private static final class None extends Span {
    @Override
    public void end(String what, String container, String exec, String outcome) {
      // not recorded
    }
  }
}
