package io.loomshim.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CommandLineTest {
  private static final List<String> TEMPLATE = List.of("/jdk/bin/java", "-XX:ErrorFile=@run-dir@/hs_err.log", "-jar",
      "/lib/b2/loomshim.jar", "-namespace", "@namespace@", "-address", "@address@", "-run-dir", "@run-dir@", "-mode",
      "@mode@", "-linger", "30", "-build", "b2");

  private static CommandLine line(String text) {
    return CommandLine.of(text.replace(' ', '\0').getBytes(StandardCharsets.UTF_8));
  }

  private static CommandLine present(String more) {
    return line("/jdk/bin/java -XX:ErrorFile=/run/l/b1@ns/hs_err.log -jar /lib/b1/loomshim.jar -namespace ns -address"
        + " /run/c.sock -run-dir /run/l/b1@ns -mode pod -linger 30 -build b1 -take-over" + more);
  }

  @Test
  void theNextDaemonHasWhatIsTheDaemonsOwnAndElseWhatIsInstalled() {
    CommandLine next = present(" -inherit 3 -debug").next(TEMPLATE);
    assertEquals(line("/jdk/bin/java -XX:ErrorFile=/run/l/b1@ns/hs_err.log -jar /lib/b2/loomshim.jar -namespace ns"
        + " -address /run/c.sock -run-dir /run/l/b1@ns -mode pod -linger 30 -build b2 -debug -take-over"), next);
  }

  @Test
  void whatADaemonHasInheritedMakesNoDifferenceAndNoOrderDoes() {
    CommandLine next = present("").next(TEMPLATE);
    assertFalse(present("").sameAs(next));
    assertTrue(next.has("-take-over"));
    CommandLine after = new CommandLine(next.words()).next(TEMPLATE);
    assertTrue(after.sameAs(next));
    var words = new ArrayList<>(next.words());
    words.addAll(List.of("-inherit", "3", "-stand-by", "8"));
    assertTrue(new CommandLine(words).sameAs(next));
    words.add("-debug");
    assertFalse(new CommandLine(words).sameAs(next));
  }

  @Test
  void whatIsOfNoDaemonIsTold() {
    assertTrue(present("").ofDaemon());
    assertFalse(line("/bin/sh -c x").ofDaemon());
    assertEquals("", line("/bin/java -jar").value("jar"));
    assertEquals("pod", present("").value("mode"));
  }
}
