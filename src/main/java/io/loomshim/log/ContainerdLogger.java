package io.loomshim.log;

import java.util.List;
import org.slf4j.Marker;
import org.slf4j.event.KeyValuePair;
import org.slf4j.event.Level;
import org.slf4j.event.LoggingEvent;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.spi.LoggingEventAware;

/**
 * Hands the events of all loggers as {@link LogLine}s to one sink, which finds a line's log by its field {@code id}.
 * slf4j-simple writes to one stream and could not. Any thread.
 */
final class ContainerdLogger extends LegacyAbstractLogger implements LoggingEventAware {
  private static final long serialVersionUID = 1L;

  static final ContainerdLogger INSTANCE = new ContainerdLogger();

  private ContainerdLogger() {
    name = "io.loomshim";
  }

  @Override
  public void log(LoggingEvent event) {
    List<KeyValuePair> pairs = event.getKeyValuePairs();
    String[] fields = new String[pairs == null ? 0 : 2 * pairs.size()];
    for (int i = 0; i < fields.length; i += 2) {
      KeyValuePair pair = pairs.get(i / 2);
      fields[i] = pair.key;
      fields[i + 1] = String.valueOf(pair.value);
    }
    write(event.getLevel(), event.getMessage(), event.getArgumentArray(), fields, event.getThrowable());
  }

  @Override
  protected void handleNormalizedLoggingCall(Level level, Marker marker, String message, Object[] arguments,
      Throwable error) {
    write(level, message, arguments, new String[0], error);
  }

  private static void write(Level level, String message, Object[] arguments, String[] fields, Throwable error) {
    String text = arguments == null ? message : MessageFormatter.basicArrayFormat(message, arguments);
    Log.sink().write(new LogLine(level, error == null ? text : text + ": " + error, fields));
  }

  @Override
  protected String getFullyQualifiedCallerName() {
    return name; // lines do not tell where they come from
  }

  @Override
  public boolean isTraceEnabled() {
    return false;
  }

  @Override
  public boolean isDebugEnabled() {
    return Log.debugging();
  }

  @Override
  public boolean isInfoEnabled() {
    return true;
  }

  @Override
  public boolean isWarnEnabled() {
    return true;
  }

  @Override
  public boolean isErrorEnabled() {
    return true;
  }
}
