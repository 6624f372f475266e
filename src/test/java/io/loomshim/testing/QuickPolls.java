package io.loomshim.testing;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Has every {@code await()} of the tests look at once and often. The default, first after 100 ms and then every 100 ms,
 * is most of the time that many tests take. JUnit finds it by its file in {@code META-INF/services}.
 */
public final class QuickPolls implements BeforeAllCallback {
  private static final Duration INTERVAL = Duration.ofMillis(10);

  @Override
  public void beforeAll(ExtensionContext context) {
    Awaitility.setDefaultPollDelay(Duration.ZERO);
    Awaitility.setDefaultPollInterval(INTERVAL);
  }
}
