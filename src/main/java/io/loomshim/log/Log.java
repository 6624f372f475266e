package io.loomshim.log;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * The one logger of this program, in SLF4J's terms. Fields are given as alternating names and values; the field
 * {@code id} (a container id) also tells the sink whose log the line belongs to.
 *
 * <p>Behind it is {@link ContainerdProvider} unless the system property {@code slf4j.provider} names another. May be
 * called from any thread; never throws.
 */
public final class Log {
  /** Takes finished lines. Must not throw and must not block for long. */
  public interface Sink {
    /**
     * Writes one line.
     *
     * @param id the container that the line is about, or an empty string
     * @param line UTF-8 text that ends with a line feed
     */
    void write(String id, byte[] line);

    /** Takes a line with its fields; unless a sink wants them, its text is written. */
    default void write(LogLine line) {
      write(line.id(), line.text());
    }
  }

  /** Where lines go until another sink is named; no lambda, as those cost 10 ms before the first one works. */
  private static final class Stderr implements Sink {
    @Override
    public void write(String id, byte[] line) {
      System.err.write(line, 0, line.length);
    }
  }

  // here and not in the logger: a start sets both, and should not load SLF4J for that
  private static volatile Sink sink = new Stderr();
  private static volatile boolean debug;

  private static final String PROVIDER = "slf4j.provider";
  private static final String OURS = "io.loomshim.log.ContainerdProvider";

  /** Made by the first line. */
  private static final class Holder {
    static final Logger LOGGER = logger();
  }

  private Log() {}

  /**
   * Ours is not asked of LoggerFactory, which loads 20 classes more and formats a text to say which one it takes.
   * Libraries that ask there get it all the same.
   */
  private static Logger logger() {
    if (!System.getProperty(PROVIDER, OURS).equals(OURS)) {
      return LoggerFactory.getLogger("io.loomshim");
    }
    System.setProperty(PROVIDER, OURS);
    System.setProperty("slf4j.internal.verbosity", "WARN"); // that text would go to standard error
    return ContainerdLogger.INSTANCE;
  }

  /** Sends all further lines to {@code sink}, where the provider is ours. */
  public static void to(Sink sink) {
    Log.sink = sink;
  }

  /** Switches lines of level debug on or off, where the provider is ours; they are off at first. */
  public static void debug(boolean on) {
    debug = on;
  }

  static Sink sink() {
    return sink;
  }

  static boolean debugging() {
    return debug;
  }

  public static void debug(String message, String... fields) {
    log(Level.DEBUG, message, fields);
  }

  public static void info(String message, String... fields) {
    log(Level.INFO, message, fields);
  }

  public static void warn(String message, String... fields) {
    log(Level.WARN, message, fields);
  }

  public static void error(String message, String... fields) {
    log(Level.ERROR, message, fields);
  }

  /** Loads what a line needs: a class that could not be loaded for want of memory would never work again. */
  public static void prepare() {
    Holder.LOGGER.atInfo().addKeyValue("id", "");
    new LogLine(Level.INFO, "", new String[0]).text();
  }

  private static void log(Level level, String message, String[] fields) {
    if (!Holder.LOGGER.isEnabledForLevel(level)) {
      return; // else SLF4J loads a class for lines that are not written
    }
    LoggingEventBuilder event = Holder.LOGGER.atLevel(level);
    for (int i = 0; i + 1 < fields.length; i += 2) {
      event = event.addKeyValue(fields[i], fields[i + 1]);
    }
    event.log(message);
  }
}
