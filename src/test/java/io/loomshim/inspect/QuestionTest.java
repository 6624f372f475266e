package io.loomshim.inspect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class QuestionTest {
  private static Question parse(String... args) {
    return Question.parse(args);
  }

  private static String refusal(String... args) {
    return assertThrows(IllegalArgumentException.class, () -> parse(args)).getMessage();
  }

  @Test
  void oneDaemonCanBeMeantInThreeWays() {
    Path all = Path.of("/run/loomshim");
    assertEquals(new Question(all, false, Optional.empty(), Optional.empty(), OptionalLong.empty()),
        parse("/run/loomshim"));
    assertEquals(new Question(all, true, Optional.of("k8s.io"), Optional.empty(), OptionalLong.empty()),
        parse("/run/loomshim", "--json", "--namespace", "k8s.io"));
    assertEquals(new Question(all, false, Optional.empty(), Optional.of(Path.of("/r")), OptionalLong.empty()),
        parse("/run/loomshim", "--run", "/r"));
    assertEquals(new Question(all, true, Optional.empty(), Optional.empty(), OptionalLong.of(4711)),
        parse("/run/loomshim", "4711", "--json"));
  }

  @Test
  void whatIsWrongIsNamed() {
    assertEquals("unknown argument --jason", refusal("/r", "--jason"));
    assertEquals("unknown argument -1", refusal("/r", "-1"));
    assertEquals("unknown argument ", refusal("/r", ""));
    assertEquals("no value for --run", refusal("/r", "--run"));
    assertEquals("only one of --namespace, --run and PID", refusal("/r", "--namespace", "a", "7"));
  }
}
