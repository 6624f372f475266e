package io.loomshim.runc;

import io.loomshim.errors.Code;
import io.loomshim.errors.Scarce;
import io.loomshim.errors.Scarcity;
import java.io.IOException;

/**
 * A runc command that failed. {@link #getMessage()} is the text for the client: what the command itself says, or, after
 * {@link #named}, what runc wrote into its log. {@link #code()} is the client's code.
 */
public final class RuncException extends IOException implements Scarce {
  private static final long serialVersionUID = 1;
  private final String text;
  private final boolean timedOut;
  private final boolean scarce;
  private final transient RuncLog.Finding finding;

  private RuncException(String text, boolean timedOut, boolean scarce, RuncLog.Finding finding) {
    this(text, text, timedOut, scarce, finding);
  }

  private RuncException(String message, String text, boolean timedOut, boolean scarce, RuncLog.Finding finding) {
    super(message);
    this.text = text;
    this.timedOut = timedOut;
    this.scarce = scarce;
    this.finding = finding;
  }

  /** For a call that could not be started or ended badly. */
  static RuncException failed(String text, RuncLog.Finding finding) {
    return new RuncException(text, false, false, finding);
  }

  /** For a call that the system did not let us make. */
  static RuncException refused(IOException cause, RuncLog.Finding finding) {
    var e = new RuncException(cause.getMessage(), false, Scarcity.of(cause), finding);
    e.initCause(cause);
    return e;
  }

  /** For a call that had no room to write what it must; {@code text} ends with the error of that. */
  static RuncException refused(String text, RuncLog.Finding finding) {
    return new RuncException(text, false, true, finding);
  }

  /** For a command that we have done ourselves, and that has failed with {@code words} as runc would have. */
  static RuncException said(String binary, String words) {
    String text = binary + " did not terminate successfully: " + words;
    return new RuncException(text, false, false, new RuncLog.Finding.Message(words));
  }

  /** For a call that was killed at its deadline; the log has nothing to add to that. */
  static RuncException timedOut(String text) {
    return new RuncException(text, true, false, new RuncLog.Finding.None());
  }

  /** For a call that ended well but whose output makes no sense. */
  static RuncException garbled(String text) {
    return new RuncException(text, false, false, new RuncLog.Finding.None());
  }

  /** The same failure, told as {@link #logged logged(prefix)}; has this one as its cause. */
  RuncException named(String prefix) {
    return withMessage(logged(prefix));
  }

  private RuncException withMessage(String message) {
    var e = new RuncException(message, text, timedOut, scarce, finding);
    e.initCause(this);
    return e;
  }

  /** What the call says: how runc ended and what it printed. */
  public String text() {
    return text;
  }

  /** Whether the call, or runc's log, says {@code words}. */
  boolean says(String words) {
    return text.contains(words) || logged("").contains(words);
  }

  /** Whether runc itself has said why it did nothing, so that its work is surely not half done. */
  public boolean explained() {
    return finding instanceof RuncLog.Finding.Message;
  }

  /** Whether runc was killed because it took longer than its limit. */
  public boolean timedOut() {
    return timedOut;
  }

  /**
   * What the client is answered: DEADLINE_EXCEEDED for a call that was killed, RESOURCE_EXHAUSTED if the system had no
   * descriptor, process or memory left for it, else UNKNOWN.
   */
  public Code code() {
    if (timedOut) {
      return Code.DEADLINE_EXCEEDED;
    }
    return scarce ? Code.RESOURCE_EXHAUSTED : Code.UNKNOWN;
  }

  /** Whether the system had nothing left to make the call with. */
  @Override
  public boolean scarce() {
    return scarce;
  }

  /**
   * The text for the client: {@code prefix: ENTRY} with the last error that this call logged, or
   * {@code prefix: TEXT} when it logged none, or
   * {@code prefix: unable to retrieve OCI runtime error (WHY): TEXT} when the log is unreadable.
   */
  public String logged(String prefix) {
    return prefix + ": " + switch (finding) {
      case RuncLog.Finding.Message message -> message.text();
      case RuncLog.Finding.None none -> text();
      case RuncLog.Finding.Unreadable log ->
          "unable to retrieve OCI runtime error (" + log.why() + "): " + text();
    };
  }
}
