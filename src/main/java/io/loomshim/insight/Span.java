package io.loomshim.insight;

/**
 * Something that takes time and becomes a JFR event when it ends, made by {@link Flight}. While nobody records, all of
 * them are {@link #NONE}. Begun and ended by one thread.
 */
public abstract class Span {
  /** What is not recorded. */
  public static final Span NONE = new None();

  Span() {}

  /**
   * It is over.
   *
   * @param what the method, or the command
   * @param container the container that it was about, may be empty
   * @param exec the exec of that container, may be empty
   * @param outcome the code, or the status
   */
  public abstract void end(String what, String container, String exec, String outcome);

  /** The same about {@code subject}. */
  public final void end(String what, Subject subject, String outcome) {
    end(what, subject.container(), subject.exec(), outcome);
  }

  private static final class None extends Span {
    @Override
    public void end(String what, String container, String exec, String outcome) {
      // nobody records
    }
  }
}
