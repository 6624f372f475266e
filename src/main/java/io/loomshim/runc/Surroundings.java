package io.loomshim.runc;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What bundles say of the runtimes of their containers. Those of one containerd say the same as a rule, so the last
 * answer is remembered with the text that it was made of, for as long as this object is used. For steps of {@link
 * io.loomshim.threads.Aside}; any thread.
 */
public final class Surroundings {
  private volatile Optional<Known> last = Optional.empty();

  /** Remembers nothing yet. */
  public Surroundings() {}

  /**
   * What is known for a bundle.
   *
   * @param text what stands in the bundle
   * @param environment that of the runtime
   * @param runtime the one for containers whose options name none
   */
  public record Known(String text, Map<String, String> environment, String runtime) {}

  /** That for the container in {@code bundle}. */
  public Known of(Path bundle) {
    String text = Environment.text(bundle);
    Optional<Known> before = last;
    if (before.isPresent() && !text.isEmpty() && before.get().text().equals(text)) {
      return before.get();
    }
    Map<String, String> environment = Environment.of(bundle, text);
    var known = new Known(text, environment, DefaultRuntime.of(environment));
    last = Optional.of(known);
    return known;
  }
}
