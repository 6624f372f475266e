package io.loomshim.runc;

import java.util.concurrent.ConcurrentHashMap;

/**
 * What the help of {@code exec} says, for each runtime by its configured name: it is asked once. May be used from any
 * thread; there is no lock.
 */
public final class ExecHelp {
  private final ConcurrentHashMap<String, String> texts = new ConcurrentHashMap<>();

  /** The help of the runtime that {@code runc} runs. */
  public String of(Runc runc) throws RuncException, InterruptedException {
    String binary = runc.settings().binary();
    String text = texts.get(binary);
    if (text == null) {
      text = runc.execHelp();
      texts.put(binary, text);
    }
    return text;
  }
}
