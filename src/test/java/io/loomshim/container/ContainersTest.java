package io.loomshim.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.event.Outbox;
import io.loomshim.process.Self;
import io.loomshim.proto.runc.Options;
import io.loomshim.proto.types.Status;
import io.loomshim.record.Journal;
import io.loomshim.runc.KnownRuntimes;
import io.loomshim.runc.RuncException;
import io.loomshim.runc.RuncLimits;
import io.loomshim.stdio.StdioPaths;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ContainersTest {
  /** Makes a process that sleeps where runc makes a container; fails when it has no pid file to write. */
  private static final String RUNTIME = """
      #!/bin/sh
      pid= before=
      for word in "$@"; do [ "$before" = --pid-file ] && pid=$word; before=$word; done
      case " $* " in
      *" create "*) [ ! -e fails ] || exit 1; sleep 1000 >&- 2>&- & printf %d $! >"$pid" ;;
      *" kill "*) read -r pid <init.pid || [ -n "$pid" ] && kill -9 "$pid" ;;
      esac
      """;

  @TempDir Path directory;
  private final Containers containers = new Containers("test", Outbox.start("test", ""), Journal.NONE,
      RuncLimits.DEFAULT, false, KnownRuntimes.NONE);

  private ContainerSpec spec(String id) throws IOException {
    Path bundle = Files.createDirectories(directory.resolve(id));
    Path runtime = Files.writeString(directory.resolve("fake"), RUNTIME);
    Files.setPosixFilePermissions(runtime, PosixFilePermissions.fromString("rwx------"));
    var options = Options.newBuilder().setBinaryName(runtime.toString()).setRoot(directory.resolve("root").toString());
    return new ContainerSpec(id, bundle, List.of(), new StdioPaths("", "", "", false), options.build(),
        Optional.empty());
  }

  @Test
  void anIdIsTakenFromTheBeginningOfACreationUntilItsFailureOrTheDeletion() throws Exception {
    var first = containers.begin(spec("web-1"));
    assertFalse(containers.empty());
    assertEquals(Set.of("web-1"), containers.ids());
    assertEquals(Optional.empty(), containers.find("web-1"));
    assertEquals(first, containers.creation("web-1").orElseThrow());
    var taken = assertThrows(StatusException.class, () -> containers.begin(spec("web-1")));
    assertEquals(Code.ALREADY_EXISTS, taken.code());
    assertEquals("container web-1: already exists", taken.getMessage());
    containers.remove(first);
    var second = containers.begin(spec("web-1"));
    first.endCreation();
    containers.remove(first);
    assertEquals(second, containers.creation("web-1").orElseThrow(), "another creation of the same name goes on");
    containers.remove(second);
    assertTrue(containers.empty());
  }

  @Test
  void aContainerIsFoundOnceItHasBeenCreatedAndUntilItIsGivenUp() throws Exception {
    Self.becomeSubreaper(); // of what the runtime leaves
    ContainerSpec spec = spec("web-2");
    var entry = containers.begin(spec);
    Container container = containers.create(entry, spec);
    entry.endCreation();
    assertEquals(container, containers.get("web-2"));
    assertEquals(List.of(container), containers.all());
    assertEquals(Optional.empty(), containers.creation("web-2"));
    assertEquals(Status.CREATED, container.process("").status());
    assertTrue(containers.abandon("web-2"));
    assertEquals(137, container.process("").awaitExit().status());
    assertFalse(containers.abandon("web-2"));
    assertEquals(Code.NOT_FOUND, assertThrows(StatusException.class, () -> containers.get("web-2")).code());
  }

  @Test
  void aCreationThatFailsInRuncHasTheTextAndTheCodeOfThat() throws Exception {
    ContainerSpec spec = spec("web-3");
    Files.createFile(spec.bundle().resolve("fails"));
    var entry = containers.begin(spec);
    var failure = assertThrows(RuncException.class, () -> containers.create(entry, spec));
    assertEquals(Code.UNKNOWN, failure.code());
    assertTrue(failure.getMessage().startsWith("OCI runtime create failed: "), failure.getMessage());
    assertEquals(Optional.empty(), containers.find("web-3"));
  }
}
