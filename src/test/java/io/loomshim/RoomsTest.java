package io.loomshim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What the sentence of each package says, as far as it can be checked. {@link TidyTest} sees to it that imports point
 * downwards; here stands what a room must not know although it lies below.
 */
class RoomsTest {
  private static final Path MAIN = Path.of("src/main/java/io/loomshim");

  /** Messages and how they travel; rooms that serve any kind of program do not know them. */
  private static final String WIRE = "ttrpc event proto";

  /**
   * A sentence about a room.
   *
   * @param room the room
   * @param not rooms that it must not use, separated by blanks
   * @param sentence why
   * @param except files that do so all the same: the codes of all failures, and the limits that the daemon passes on
   */
  private record Rule(String room, String not, String sentence, String... except) {}

  private static final List<Rule> RULES = List.of(
      new Rule("task", "linux process mount cgroup runc", "the task service makes no system call and runs no runc",
          "task/ErrorCodes.java", "task/TaskService.java"),
      new Rule("container", "ttrpc", "a container knows nothing of the wire"),
      new Rule("checkpoint", WIRE + " cgroup mount", "a checkpoint is a command of runc and files"),
      new Rule("runc", "ttrpc event cgroup mount rundir", "runc is a program that is run with its streams"),
      new Rule("stdio", WIRE + " runc cgroup mount rundir", "streams know neither runc nor messages"),
      new Rule("cgroup", "ttrpc event runc stdio rundir", "a cgroup is read and written as files, without runc"),
      new Rule("mount", WIRE + " runc stdio cgroup rundir", "a mount is a mount, whatever it is for"),
      new Rule("process", WIRE + " json toml", "a process is a process, whatever it is for"),
      new Rule("linux", WIRE + " json toml metrics", "the kernel's calls know no room that uses them"),
      new Rule("threads", WIRE + " metrics json toml linux", "threads know no work that they do"),
      new Rule("rundir", "ttrpc event runc stdio mount cgroup", "the run directory is files that two programs share"),
      new Rule("record", "ttrpc event process runc stdio cgroup container", "a record is values in a file"),
      new Rule("event", "linux process runc stdio mount cgroup rundir", "events are messages on their way"),
      new Rule("json", WIRE + " linux log metrics threads toml", "JSON is a format"),
      new Rule("toml", WIRE + " linux log metrics threads json", "TOML is a format"),
      new Rule("cli", "task container runc stdio linux process mount cgroup daemon", "inspect only asks and prints"));

  private static List<Path> sources(Path below) throws IOException {
    try (Stream<Path> files = Files.walk(below)) {
      return files.filter(file -> file.toString().endsWith(".java")).sorted().toList();
    }
  }

  /** The lines of a file that are not comments. */
  private static List<String> code(Path file) throws IOException {
    return Files.readAllLines(file).stream().filter(line -> !line.strip().matches("(\\*|/\\*|//).*")).toList();
  }

  private static Set<String> rooms() throws IOException {
    var rooms = new TreeSet<String>();
    for (Path file : sources(MAIN)) {
      if (!file.getParent().equals(MAIN)) {
        rooms.add(file.getParent().getFileName().toString());
      }
    }
    assertTrue(rooms.size() > 15, "no rooms below " + MAIN.toAbsolutePath());
    return rooms;
  }

  @Test
  void everyRoomSaysWhatItIs() throws Exception {
    var found = new ArrayList<String>();
    for (String room : rooms()) {
      Path info = MAIN.resolve(room).resolve("package-info.java");
      if (!Files.exists(info) || !Files.readString(info).matches("(?s)/\\*\\*.*\\w.*\\. ?\\s*\\*/\\s*package .*")) {
        found.add(room + " has no sentence: say in " + info + " what belongs into it");
      }
    }
    assertEquals(List.of(), found);
  }

  @Test
  void noRoomKnowsWhatItsSentenceDenies() throws Exception {
    var found = new ArrayList<String>();
    for (Rule rule : RULES) {
      var other = Pattern.compile("\\bio\\.loomshim\\.(" + rule.not().replace(' ', '|') + ")\\.");
      for (Path file : sources(MAIN.resolve(rule.room()))) {
        String name = MAIN.relativize(file).toString();
        for (String line : code(file)) {
          var used = other.matcher(line);
          if (used.find() && !List.of(rule.except()).contains(name)) {
            found.add(name + " uses " + used.group(1) + ", but " + rule.sentence());
          }
        }
      }
    }
    assertEquals(List.of(), found);
  }

  @Test
  void ttrpcKnowsNothingOfContainers() throws Exception {
    var found = new ArrayList<String>();
    for (Path file : sources(MAIN.resolve("ttrpc"))) {
      for (String line : code(file)) {
        if (line.toLowerCase(Locale.ROOT).replaceAll("//.*", "").contains("container")) {
          found.add(MAIN.relativize(file) + " names a container: " + line.strip());
        }
      }
    }
    assertEquals(List.of(), found);
  }

  /** The two maps of the rooms, for those who read and for those who change something. */
  @Test
  void theDocumentsNameEveryRoom() throws Exception {
    var found = new ArrayList<String>();
    for (String document : List.of("docs/ARCHITECTURE.md", "CONTRIBUTING.md")) {
      String text = Files.readString(Path.of(document));
      for (String room : rooms()) {
        if (!Pattern.compile("\\b" + room + "\\b").matcher(text).find()) {
          found.add(document + " does not name the room " + room);
        }
      }
    }
    assertEquals(List.of(), found);
  }
}
