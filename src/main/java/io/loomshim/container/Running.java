package io.loomshim.container;

/** The step of an init from created to running, once its start is written down; for the holder of {@code order}. */
record Running(InitLife life) implements Runnable {
  @Override
  public void run() {
    life.become(InitState.RUNNING);
  }
}
