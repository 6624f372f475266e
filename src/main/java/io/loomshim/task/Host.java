package io.loomshim.task;

import io.loomshim.proto.task.DeleteResponse;
import java.io.IOException;
import java.nio.file.Path;

/** What the task service tells the daemon that it lives in. Methods are called on the thread of the call. */
public interface Host {
  /** A Create for {@code id} has arrived; what is left of an earlier container of that name is to be given up first. */
  void arriving(String id);

  /** The container {@code id} is being created: its log is in {@code bundle}, and it needs no lease any more. */
  void creating(String id, Path bundle) throws IOException, InterruptedException;

  /** Whether a start was made for {@code id} whose Create has not arrived. */
  boolean promised(String id);

  /** There is no container in {@code bundle} any more: a containerd that is started anew is to clean it up. */
  void vacated(Path bundle);

  /** The same for one that was deleted; {@code response} is what a later {@code delete} must print. */
  void deleted(Path bundle, DeleteResponse response);

  /** No more is to be logged for {@code id}: it was deleted, abandoned, or its creation failed. */
  void forgotten(String id);

  /** A client has asked for the shim's end, which a daemon with containers does not grant. */
  void shutdownAsked();
}
