package io.loomshim.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The man page and the completion of bash against what the program has: its settings, commands and options. */
class ManualTest {
  private static final Path PAGE = Path.of("packaging/man/containerd-shim-loom-v1.8");
  private static final Path COMPLETION = Path.of("packaging/completion/containerd-shim-loom-v1");
  private static final Path TEMPLATE = Path.of("src/main/launcher/loomshim.conf");

  /** The list of settings and defaults that the launcher itself has. */
  private static Map<String, String> settings() throws Exception {
    var settings = new TreeMap<String, String>();
    Installation.Outcome told = Installation.finish(new ProcessBuilder("sh", "-uc", """
        . ./src/main/launcher/settings.sh
        for name in $SETTINGS; do
          setting "$name" || exit
          printf '%s=%s\\n' "$name" "$default"
        done
        """), null);
    assertEquals(0, told.status(), told.stderr());
    told.out().lines().forEach(line -> settings.put(line.split("=", 2)[0], line.split("=", 2)[1]));
    assertTrue(settings.size() > 10, settings::toString);
    return settings;
  }

  /** The entries of a section, each with its default; what is no plain word there is none. */
  private static Map<String, String> documented() throws Exception {
    var entries = new TreeMap<String, String>();
    String section = Files.readString(PAGE).split("\\.SH SETTINGS\n")[1].split("\n\\.SH ")[0];
    var entry = Pattern.compile("\\.TP\n\\.BR ([a-z_]+) \" \\(default:(.*)\\)?\n?").matcher(section);
    while (entry.find()) {
      var word = Pattern.compile("^ ?\" (\\S+) \\)$").matcher(entry.group(2));
      String before = entries.put(entry.group(1), word.find() ? word.group(1) : "");
      assertNull(before, entry.group(1) + " is there twice");
    }
    return entries;
  }

  @Test
  void theManPageHasEverySettingWithItsDefault() throws Exception {
    assertEquals(settings(), documented());
  }

  @Test
  void theTemplateOfTheFileHasEverySetting() throws Exception {
    var names = new ArrayList<String>();
    for (String line : Files.readAllLines(TEMPLATE)) {
      if (line.matches("#[a-z_]+=.*")) {
        names.add(line.substring(1, line.indexOf('=')));
      }
    }
    assertEquals(List.copyOf(settings().keySet()), names.stream().sorted().toList());
  }

  /** What bash offers after {@code words}, the last of which is being typed. */
  private static List<String> completed(String... words) throws Exception {
    var command = new ArrayList<>(List.of("bash", "-euc", ". " + COMPLETION + """

        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _containerd_shim_loom_v1
        printf '%s\\n' "${COMPREPLY[@]}"
        """, "bash", "containerd-shim-loom-v1"));
    command.addAll(List.of(words));
    Installation.Outcome outcome = Installation.finish(new ProcessBuilder(command), null);
    assertEquals(0, outcome.status(), outcome.stderr());
    return outcome.out().lines().filter(line -> !line.isEmpty()).sorted().toList();
  }

  /** The options in the usage that the command itself prints. */
  private static List<String> inspectOptions() throws Exception {
    String usage = Files.readString(Path.of("src/main/java/io/loomshim/cli/InspectArguments.java"))
        .split("String USAGE =")[1].split(";")[0];
    return Pattern.compile("--[a-z]+").matcher(usage).results().map(MatchResult::group).distinct().sorted().toList();
  }

  @Test
  void bashCompletesCommandsAndOptions() throws Exception {
    assertEquals(List.of("--help", "--version", "check", "help", "inspect", "upgrade"), completed(""));
    assertEquals(List.of("inspect"), completed("in"));
    assertEquals(inspectOptions(), completed("inspect", "--"));
    assertEquals(List.of(), completed("check", ""));
    assertEquals(List.of("--namespace"), completed("upgrade", ""));
    assertTrue(completed("inspect", "--run", "/proc/sel").contains("/proc/self"));
  }

  @Test
  void theManPageHasTheCommandsAndOptionsThatBashCompletes() throws Exception {
    String page = Files.readString(PAGE).replace("\\-", "-");
    for (String word : List.of("inspect", "check", "upgrade", "--version", "--help")) {
      assertTrue(page.contains("\n.TP\n.B " + word + "\n"), word);
    }
    String launcher = Files.readString(Path.of("src/main/launcher/cold.sh")).split("\nusage\\(\\) ")[1].split("\n}")[0];
    for (String option : inspectOptions()) {
      assertTrue(Pattern.compile("\n\\.TP\n\\.BI? " + option + "\\b").matcher(page).find(), option);
      assertTrue(launcher.contains(option), option);
    }
  }
}
