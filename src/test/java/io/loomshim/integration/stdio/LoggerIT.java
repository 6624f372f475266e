package io.loomshim.integration.stdio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Scratch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Output that goes to a program or to a file of its own instead of the client. */
final class LoggerIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static Path logger(Path directory) {
    try {
      Path script = directory.resolve("logger");
      Files.writeString(script, "#!/bin/sh\ncd " + directory + "\n/bin/cat <&4 > err 5>&- & /bin/cat <&3 > out 5>&- &\n"
          + "echo \"$CONTAINER_NAMESPACE/$CONTAINER_ID $*\" > who; exec 5>&-; wait\n");
      Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
      return script;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void end(String id) {
    BED.ctr().call("task", "rm", "-f", id);
    BED.ctr().deleteContainer(id);
  }

  @Test
  void aBinaryLoggerTakesBothOutputsAsWithTheOriginal() {
    String seen = Differential.same(shim -> {
      String id = Names.id("logged");
      Path directory = Scratch.directory("logger");
      String uri = "binary://" + logger(directory) + "?tag=x";
      BED.ctr().run(shim, List.of("-d", "--log-uri", uri), id, "sh", "-c", "echo out; echo err >&2").ok();
      Await.until("the end", () -> BED.ctr().status(id).equals("STOPPED"));
      Await.until("the output", () -> read(directory.resolve("out")).equals("out\n"));
      end(id);
      String text = read(directory.resolve("err")) + Differential.plain(read(directory.resolve("who")), id);
      Scratch.remove(directory);
      return text;
    });
    assertEquals("err\nNS/ID tag x\n", seen.replaceAll("lit[0-9]+[-0-9]*/", "NS/").replaceAll("NS[-0-9]*/", "NS/"));
  }

  @Test
  void aFileTakesBothOutputsAndIsMadeWithItsDirectory() {
    String seen = Differential.same(shim -> {
      String id = Names.id("filed");
      Path directory = Scratch.directory("file");
      Path file = directory.resolve("new/log");
      var flags = List.of("-d", "--log-uri", "file://" + file);
      BED.ctr().run(shim, flags, id, "sh", "-c", "echo out; echo err >&2").ok();
      Await.until("the end", () -> BED.ctr().status(id).equals("STOPPED"));
      Await.until("the output", () -> read(file).length() == 8);
      end(id);
      List<String> lines = read(file).lines().sorted().toList();
      Scratch.remove(directory);
      return lines.toString();
    });
    assertEquals("[err, out]", seen);
  }
}
