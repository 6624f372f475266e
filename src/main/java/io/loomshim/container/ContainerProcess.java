package io.loomshim.container;

import io.loomshim.errors.StatusException;
import io.loomshim.stdio.StdioPaths;
import java.io.IOException;

/**
 * A process of a container as clients see it. All methods may be called from any thread; those that
 * only tell something never wait.
 */
public sealed interface ContainerProcess permits InitProcess, ExecProcess {
  /** The container's id for its init, the exec id for an exec. */
  String id();

  /** The pid on the host, 0 before there is one; stays after the end. */
  int pid();

  /** {@code created}, {@code running}, {@code pausing}, {@code paused} or {@code stopped}. */
  String status();

  /** The streams as the client named them. */
  StdioPaths stdio();

  /** How it ended, or {@link Exit#NONE}. */
  Exit exit();

  /** Waits until the end has been recorded, or for an exec until its start has failed. */
  Exit awaitExit() throws InterruptedException;

  /**
   * Lets the process run and publishes that it does.
   *
   * @return its pid
   */
  int start() throws IOException, InterruptedException;

  /**
   * Sends {@code signal}.
   *
   * @param all to every process of the container; only an init knows it
   * @throws StatusException NOT_FOUND when it has ended, FAILED_PRECONDITION when it has not started
   */
  void kill(int signal, boolean all) throws IOException, InterruptedException;

  /** Lets its stdin end once the last writer outside is gone too; can be repeated. */
  void closeStdin();

  /**
   * Tells the size of the client's window, in characters, to the terminal; does nothing without one.
   *
   * @param width and {@code height}: of both only the lower 16 bits count
   */
  void resize(int width, int height) throws IOException;

  /**
   * Removes what is left of an ended process. Can be tried again when it fails.
   *
   * @return how it ended
   */
  Exit delete() throws IOException, InterruptedException;
}
