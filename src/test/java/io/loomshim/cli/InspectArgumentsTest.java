package io.loomshim.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomshim.cli.InspectArguments.Form;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class InspectArgumentsTest {
  private static InspectArguments parse(String... args) {
    return InspectArguments.parse(args);
  }

  private static String refusal(String... args) {
    return assertThrows(IllegalArgumentException.class, () -> parse(args)).getMessage();
  }

  @Test
  void oneDaemonCanBeMeantInThreeWays() {
    Path all = Path.of("/run/loomshim");
    assertEquals(new InspectArguments(all, Form.PAGE, Optional.empty(), Optional.empty(), OptionalLong.empty()),
        parse("/run/loomshim"));
    assertEquals(new InspectArguments(all, Form.JSON, Optional.of("k8s.io"), Optional.empty(), OptionalLong.empty()),
        parse("/run/loomshim", "--json", "--namespace", "k8s.io"));
    assertEquals(
        new InspectArguments(all, Form.PAGE, Optional.empty(), Optional.of(Path.of("/r")), OptionalLong.empty()),
        parse("/run/loomshim", "--run", "/r"));
    assertEquals(new InspectArguments(all, Form.JSON, Optional.empty(), Optional.empty(), OptionalLong.of(4711)),
        parse("/run/loomshim", "4711", "--json"));
    assertEquals(
        new InspectArguments(all, Form.PROMETHEUS, Optional.of("k8s.io"), Optional.empty(), OptionalLong.empty()),
        parse("/run/loomshim", "--prometheus", "--namespace", "k8s.io"));
  }

  @Test
  void whereNoDaemonIsMeantItIsSaidWhatWasAskedAndWhatRuns() {
    assertEquals("no daemon runs in /r, the run_dir of the settings; the first container of a namespace starts one",
        parse("/r").none(Set.of()));
    assertEquals("no daemon runs for the namespace k8s below /r; those that run serve: k8s.io, moby",
        parse("/r", "--namespace", "k8s").none(new TreeSet<>(Set.of("moby", "k8s.io"))));
    assertEquals("process 7 is no daemon below /r; those that run: 12", parse("/r", "7").none(Set.of("12")));
    assertEquals("no daemon runs in /x; without --run, all below /r are asked",
        parse("/r", "--run", "/x").none(Set.of()));
  }

  @Test
  void whatIsWrongIsNamed() {
    assertEquals("unknown argument --jason", refusal("/r", "--jason"));
    assertEquals("unknown argument -1", refusal("/r", "-1"));
    assertEquals("unknown argument ", refusal("/r", ""));
    assertEquals("no value for --run", refusal("/r", "--run"));
    assertEquals("only one of --json and --prometheus", refusal("/r", "--prometheus", "--json"));
    assertEquals("only one of --namespace, --run and PID", refusal("/r", "--namespace", "a", "7"));
  }
}
