package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.process.Processes;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RuncStateTest {
  private static final String PLAIN = StateFile.text("web-1", 4711, "123456", Map.of("", Path.of("/c/web-1")));

  @TempDir Path dir;

  private static Optional<RuncState> parse(String text) {
    return RuncState.parse(text.getBytes(StandardCharsets.UTF_8));
  }

  private static List<String> special(String from, String to) {
    return changed(from, to).orElseThrow().special();
  }

  private static Optional<RuncState> changed(String from, String to) {
    assertTrue(PLAIN.contains(from), from);
    return parse(PLAIN.replace(from, to));
  }

  @Test
  void whatDecidesIsRead() {
    var state = parse(PLAIN).orElseThrow();
    assertEquals(new RuncState("web-1", 4711, "123456", Map.of("", Path.of("/c/web-1")), List.of(), false), state);
  }

  @Test
  void whatIsSpecialIsNamed() {
    assertEquals(List.of("rootless"), special("\"rootless\":false", "\"rootless\":true"));
    assertEquals(List.of("rootless"), special("\"rootless_cgroups\":false", "\"rootless_cgroups\":true"));
    assertEquals(List.of("rootless"), special("\"Rootless\":false", "\"Rootless\":true"));
    assertEquals(List.of("pid namespace shared"),
        special("\"NEWPID\",\"path\":\"\"", "\"NEWPID\",\"path\":\"/proc/7/ns/pid\""));
    assertEquals(List.of("pid namespace shared"), special("{\"type\":\"NEWPID\",\"path\":\"\"},", ""));
    assertEquals(List.of("poststop hooks"), special("\"poststop\":null", "\"poststop\":[{\"path\":\"/bin/true\"}]"));
    assertEquals(List.of("Intel RDT"), special("\"intel_rdt_path\":\"\"", "\"intel_rdt_path\":\"/sys/fs/resctrl/a\""));
    assertEquals(List.of("Intel RDT"), special("\"rootless\":false", "\"intel_rdt_mon_path\":\"/sys/fs/resctrl/a\""));
    assertEquals(List.of("Intel RDT"), special("\"version\":\"1.0.2\"", "\"intel_rdt\":{\"closID\":\"a\"}"));
    assertEquals(List.of("cgroup of systemd"), special("\"Systemd\":false", "\"Systemd\":true"));
    assertEquals(List.of("cgroup given by path"), special("\"Paths\":null", "\"Paths\":{\"cpu\":\"/x\"}"));
  }

  @Test
  void hooksThatRunAtAnotherTimeAreNotSpecial() {
    var state = changed("\"poststart\":null", "\"poststart\":[{\"path\":\"/bin/true\"}]").orElseThrow();
    assertEquals(List.of(), state.special());
    assertTrue(state.poststart());
    assertEquals(List.of(), special("\"Hooks\":{\"createRuntime\":[{\"path\":\"/bin/true\"}],\"poststart\":null,"
        + "\"poststop\":null},", ""));
  }

  @Test
  void anotherShapeIsNoState() {
    assertEquals(Optional.empty(), parse(""));
    assertEquals(Optional.empty(), parse("{}"));
    assertEquals(Optional.empty(), parse("[1]"));
    assertEquals(Optional.empty(), parse(PLAIN.substring(0, PLAIN.length() / 2)));
    for (String[] change : new String[][] {{"\"id\":\"web-1\"", "\"id\":7"}, {"init_process_pid", "pid"},
      {"\"init_process_pid\":4711", "\"init_process_pid\":0"}, {"\"init_process_pid\":4711", "\"init_process_pid\":-1"},
      {"\"init_process_pid\":4711", "\"init_process_pid\":99999999999"}, {"init_process_start", "start"},
      {"\"config\"", "\"configuration\""}, {"\"cgroups\"", "\"groups\""}, {"cgroup_paths", "paths"},
      {"\"/c/web-1\"", "\"c/web-1\""}, {"\"/c/web-1\"", "\"\""}, {"\"/c/web-1\"", "7"},
      {"\"intel_rdt_path\":\"\"}", "\"intel_rdt_path\":\"\""}, {"\"Hooks\":{", "\"Hooks\":{,"},
      {"namespace_paths", "namespaces"}, {"\"namespaces\"", "\"spaces\""}}) {
      assertEquals(Optional.empty(), changed(change[0], change[1]), change[0] + " → " + change[1]);
    }
  }

  @Test
  void aDirectoryWithoutOneHasNoState() throws Exception {
    assertEquals(Optional.empty(), RuncState.read(dir));
    assertEquals(Optional.empty(), RuncState.read(dir.resolve("missing")));
    Files.writeString(dir.resolve(RuncState.FILE), PLAIN);
    assertEquals("web-1", RuncState.read(dir).orElseThrow().id());
  }

  @Test
  void itsInitLivesIfItIsTheSameProcess() throws Exception {
    long self = ProcessHandle.current().pid();
    String started = Processes.startTime("self");
    Map<String, Path> cgroups = Map.of("", dir);
    assertTrue(parse(StateFile.text("a", self, started, cgroups)).orElseThrow().lives());
    assertFalse(parse(StateFile.text("a", self, started + "1", cgroups)).orElseThrow().lives());
    assertFalse(parse(StateFile.text("a", Integer.MAX_VALUE, started, cgroups)).orElseThrow().lives());
  }

  @Test
  void whatTheFreezerDoesNotSayToRunCountsAsPaused() throws Exception {
    var unified = parse(StateFile.text("a", 1, "1", Map.of("", dir))).orElseThrow();
    assertFalse(unified.perhapsPaused());
    Path file = dir.resolve("cgroup.freeze");
    Files.writeString(file, "0\n");
    assertFalse(unified.perhapsPaused());
    Files.writeString(file, "1\n");
    assertTrue(unified.perhapsPaused());
    Path freezer = Files.createDirectory(dir.resolve("freezer"));
    var first = parse(StateFile.text("a", 1, "1", Map.of("pids", dir, "freezer", freezer))).orElseThrow();
    assertFalse(first.perhapsPaused());
    for (String word : new String[] {"FROZEN\n", "FREEZING\n", ""}) {
      Files.writeString(freezer.resolve("freezer.state"), word);
      assertTrue(first.perhapsPaused(), word);
    }
    Files.writeString(freezer.resolve("freezer.state"), "THAWED\n");
    assertFalse(first.perhapsPaused());
    var none = parse(StateFile.text("a", 1, "1", Map.of("pids", dir))).orElseThrow();
    assertFalse(none.perhapsPaused());
  }
}
