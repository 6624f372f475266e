package io.loomshim.runc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.Fd;
import io.loomshim.linux.ProgramCopy;
import io.loomshim.process.Child;
import io.loomshim.process.Spawn;
import io.loomshim.process.Spawner;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code sleep} stands for the runtime here, and a process of it for an init that waits for its start. */
class SealedProgramsTest {
  @TempDir
  Path directory;

  private Path program;

  @BeforeEach
  void use() throws Exception {
    program = Files.copy(Path.of("/bin/sleep"), directory.resolve("sleeper"), StandardCopyOption.COPY_ATTRIBUTES);
    SealedPrograms.use(SealedPrograms.Policy.ALWAYS, directory.resolve("run"));
  }

  @AfterEach
  void leave() {
    SealedPrograms.use(SealedPrograms.Policy.NEVER, directory);
  }

  private Child started(String image) throws Exception {
    try (Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0)) {
      return Spawner.spawn(new Spawn(
          List.of(program.toString(), "100"), List.of(), Path.of("/"), List.of(nothing, nothing, nothing), image));
    }
  }

  /** As a runtime does that makes a copy of itself. */
  private void observeOneThatCopiesItself() throws Exception {
    ProgramCopy own = ProgramCopy.of(program.toString(), "cloned");
    try (Child init = started(own.path())) {
      SealedPrograms.observe(program.toString(), init.pid());
    } finally {
      own.retire();
    }
  }

  private String image() {
    return SealedPrograms.image(program.toString());
  }

  private static String of(Child child, String file) throws Exception {
    return Files.readString(Path.of("/proc/" + child.pid() + "/" + file)).strip();
  }

  @Test
  void oneThatCopiesItselfIsRunFromACopyUnderItsName() throws Exception {
    observeOneThatCopiesItself();
    await().until(() -> !image().isEmpty());
    try (Child child = started(image())) {
      await().until(() -> !of(child, "cmdline").isEmpty()); // the kernel sets it a moment after it has let us go on
      Path runs = Files.readSymbolicLink(Path.of("/proc/" + child.pid() + "/exe"));
      assertEquals("/memfd:loomshim-sleeper (deleted)", runs.toString());
      assertEquals("sleeper", of(child, "comm"));
      assertEquals(program + "\0" + "100\0", of(child, "cmdline"));
      SealedPrograms.observe(program.toString(), child.pid());
      assertFalse(image().isEmpty());
    }
  }

  @Test
  void oneThatDoesNotIsRunAsItIs() throws Exception {
    try (Child init = started("")) {
      SealedPrograms.observe(program.toString(), init.pid());
    }
    assertEquals("", image());
  }

  @Test
  void anUpdateIsRunAtTheNextCall() throws Exception {
    observeOneThatCopiesItself();
    await().until(() -> !image().isEmpty());
    String before = image();
    Files.write(program, new byte[] {0}, java.nio.file.StandardOpenOption.APPEND);
    assertEquals("", image());
    assertFalse(Files.exists(Path.of(before)));
    observeOneThatCopiesItself();
    await().until(() -> !image().isEmpty());
    Files.copy(program, directory.resolve("new"), StandardCopyOption.COPY_ATTRIBUTES);
    Files.move(directory.resolve("new"), program, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    assertEquals("", image());
    observeOneThatCopiesItself();
    await().until(() -> !image().isEmpty());
    Files.delete(program);
    assertEquals("", image());
    try (Stream<Path> left = Files.walk(directory.resolve("run"))) {
      assertEquals(List.of(), left.filter(Files::isSymbolicLink).toList());
    }
  }

  @Test
  void aCopyThatIsGoneIsNoError() throws Exception {
    try (Child child = started("/proc/self/none")) {
      assertEquals(program, Files.readSymbolicLink(Path.of("/proc/" + child.pid() + "/exe")));
    }
  }

  @Test
  void oneThatCopiesItselfAllTheSameIsLeftAlone() throws Exception {
    observeOneThatCopiesItself();
    await().until(() -> !image().isEmpty());
    observeOneThatCopiesItself();
    assertEquals("", image());
    observeOneThatCopiesItself();
    assertTrue(image().isEmpty());
  }

  @Test
  void theSettingLeavesThemAsTheyAre() throws Exception {
    SealedPrograms.use(SealedPrograms.Policy.NEVER, directory);
    observeOneThatCopiesItself();
    assertEquals("", image());
  }

  @Test
  void aProfileThatConfinesNothingIsNone() throws Exception {
    Path file = Files.writeString(directory.resolve("label"), "runc (unconfined)\n");
    assertEquals("unconfined", SealedPrograms.label(file.toString()));
    assertEquals("docker-default (enforce)",
        SealedPrograms.label(Files.writeString(file, "docker-default (enforce)\n").toString()));
    assertEquals("", SealedPrograms.label("/no/such/file"));
  }
}
