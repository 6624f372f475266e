package io.loomshim.log;

import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.Logger;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/** SLF4J's way to {@link ContainerdLogger}: one logger for all names. The system property slf4j.provider names it. */
public final class ContainerdProvider implements SLF4JServiceProvider, ILoggerFactory {
  @Override
  public Logger getLogger(String name) {
    return ContainerdLogger.INSTANCE;
  }

  @Override
  public ILoggerFactory getLoggerFactory() {
    return this;
  }

  @Override
  public IMarkerFactory getMarkerFactory() {
    return new BasicMarkerFactory();
  }

  @Override
  public MDCAdapter getMDCAdapter() {
    return new NOPMDCAdapter();
  }

  @Override
  public String getRequestedApiVersion() {
    return "2.0.99"; // any version 2.0, as its authors have it
  }

  @Override
  public void initialize() {
    // everything is there
  }
}
