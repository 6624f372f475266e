package io.loomshim.runc;

import io.loomshim.json.Json;
import io.loomshim.json.JsonException;
import io.loomshim.json.JsonNumber;
import java.util.ArrayList;
import java.util.List;

/** Reads the output of {@code ps --format json}: an array of pids, or null. Stateless. */
final class PsOutput {
  private PsOutput() {}

  /**
   * The pids in the order of the output.
   *
   * @throws RuncException if the text is anything else
   */
  static List<Integer> parse(String output) throws RuncException {
    Object value;
    try {
      value = Json.read(output);
    } catch (JsonException e) {
      throw RuncException.garbled("the list of processes is " + e.getMessage() + ": " + Excerpt.of(output));
    }
    var pids = new ArrayList<Integer>();
    if (value == Json.NULL) {
      return pids;
    }
    var elements = Json.array(value);
    if (elements.isEmpty()) {
      throw RuncException.garbled("the list of processes is not an array: " + Excerpt.of(output));
    }
    for (Object element : elements.get()) {
      pids.add(pid(element, output));
    }
    return pids;
  }

  private static int pid(Object element, String output) throws RuncException {
    if (element instanceof JsonNumber number) {
      try {
        int pid = number.value().intValueExact();
        if (pid > 0) {
          return pid;
        }
      } catch (ArithmeticException e) {
        // no whole number of 32 bits: refused below
      }
    }
    throw RuncException.garbled("the list of processes has something else than pids: " + Excerpt.of(output));
  }
}
