package io.loomshim.daemon;

import io.loomshim.log.Log;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Logs once what is wrong with the settings: when the first container comes, as containerd reads the log of a container
 * and not that of a daemon. Any thread may call {@link #log}.
 */
final class Mistakes {
  private final List<String> texts;
  private final AtomicBoolean logged = new AtomicBoolean();

  Mistakes(List<String> texts) {
    this.texts = texts;
  }

  void log() {
    if (texts.isEmpty() || !logged.compareAndSet(false, true)) {
      return;
    }
    for (String text : texts) {
      Log.warn("mistake in the settings", "error", text);
    }
  }
}
