package io.loomshim.takeover;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** What is kept in a slot, in words with blanks between them; the first says what kind of thing it is. Pure. */
public final class Labels {
  static final String DOOR = "door";
  static final String LINE = "line";
  /** What has been read of connections: {@link CallPages}. */
  static final String CALLS = "calls";
  /** Where the kernel writes down how processes end: {@code ExitsMeanwhile}. */
  public static final String EXITS = "exits";
  /** A process of a container: its pidfd and its streams. */
  public static final String PROCESS = "process";

  private Labels() {}

  /** Encodes words without blanks in them, none of them empty. */
  public static byte[] of(String... words) {
    return String.join(" ", words).getBytes(StandardCharsets.UTF_8);
  }

  /** The same for a list. */
  public static byte[] of(List<String> words) {
    return of(words.toArray(new String[0]));
  }

  /** The words of a note. */
  public static List<String> words(byte[] note) {
    return List.of(new String(note, StandardCharsets.UTF_8).split(" "));
  }
}
