package io.loomshim.log;

import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * What libraries log by way of java.util.logging: warnings go to {@link Log}, and no configuration is read. The launcher
 * names it in {@code java.util.logging.manager}; protobuf makes a logger when its first message is loaded, for which the
 * JDK's own manager reads a file and keeps a tree of loggers. The JVM makes it, once.
 */
public final class LibraryLogs extends LogManager {
  /** There is no configuration. */
  @Override
  public void readConfiguration() {}

  /** There is no tree of loggers. */
  @Override
  public boolean addLogger(Logger logger) {
    return false;
  }

  @Override
  public Logger getLogger(String name) {
    return new Forwarding(name);
  }

  private static final class Forwarding extends Logger {
    private Forwarding(String name) {
      super(name, null);
    }

    @Override
    public boolean isLoggable(Level level) {
      return level.intValue() >= Level.WARNING.intValue();
    }

    @Override
    public void log(LogRecord record) {
      Throwable thrown = record.getThrown();
      Log.warn(String.valueOf(record.getMessage()), "logger", String.valueOf(getName()), "error",
          thrown == null ? "" : thrown.toString());
    }
  }
}
