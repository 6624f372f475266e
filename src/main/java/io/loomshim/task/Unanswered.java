package io.loomshim.task;

import com.google.protobuf.Empty;
import com.google.protobuf.MessageLite;
import io.loomshim.container.Container;
import io.loomshim.container.ContainerProcess;
import io.loomshim.container.Containers;
import io.loomshim.proto.handover.HandOverRequest;
import io.loomshim.proto.record.DeletedEntry;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.CreateTaskResponse;
import io.loomshim.proto.task.DeleteRequest;
import io.loomshim.proto.task.DeleteResponse;
import io.loomshim.proto.task.ExecProcessRequest;
import io.loomshim.proto.task.KillRequest;
import io.loomshim.proto.task.PauseRequest;
import io.loomshim.proto.task.ResumeRequest;
import io.loomshim.proto.task.StartRequest;
import io.loomshim.proto.task.StartResponse;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.proto.task.WaitResponse;
import io.loomshim.proto.types.Status;
import io.loomshim.ttrpc.Redo;
import java.util.Map;
import java.util.Optional;

/**
 * What becomes of the calls that a daemon that was killed had not answered: what it has recorded tells what has been
 * done. Of what is left, a call that changes nothing, or can go on where it was, is handled as if it had come now; the
 * client of any other is told that it is not known.
 *
 * @param deleted what that daemon's last Deletes have answered, by {@code ID} or {@code ID/EXEC}
 */
public record Unanswered(Containers containers, Map<String, DeletedEntry> deleted) implements Redo {
  private static final int SIGKILL = 9;

  @Override
  public Optional<MessageLite> reply(String method, MessageLite request) throws InterruptedException {
    // not a switch over patterns, whose first use makes classes at run time
    if (request instanceof WaitRequest r) {
      return waited(r);
    } else if (request instanceof StartRequest r) {
      return started(r);
    } else if (request instanceof KillRequest r) {
      return killed(r);
    } else if (request instanceof DeleteRequest r) {
      return deletion(r);
    } else if (request instanceof ExecProcessRequest r) {
      return added(r);
    } else if (request instanceof CreateTaskRequest r) {
      return Optional.of(created(r));
    } else if (request instanceof PauseRequest r) {
      return done(containers.get(r.getId()).settled(true));
    } else if (request instanceof ResumeRequest r) {
      return done(containers.get(r.getId()).settled(false));
    } else if (request instanceof HandOverRequest || method.equals("Checkpoint")) {
      throw Redo.inDoubt();
    }
    return Optional.empty();
  }

  /** A creation that had not come to its end is undone. */
  private MessageLite created(CreateTaskRequest request) throws InterruptedException {
    containers.awaitUndone(request.getId());
    Optional<Container> container = containers.find(request.getId());
    if (container.isEmpty()) {
      throw Redo.inDoubt();
    }
    return CreateTaskResponse.newBuilder().setPid(container.get().process("").pid()).build();
  }

  /** The start of an init goes on; that of an exec has been undone. */
  private Optional<MessageLite> started(StartRequest request) throws InterruptedException {
    var process = containers.get(request.getId()).process(request.getExecId());
    if (process.status() == Status.CREATED && process.dead()) {
      process.awaitExit(); // its start is told before its end
    }
    if (process.pid() != 0 && process.status() != Status.CREATED) {
      return Optional.of(StartResponse.newBuilder().setPid(process.pid()).build());
    }
    if (!request.getExecId().isEmpty()) {
      throw Redo.inDoubt();
    }
    return Optional.empty();
  }

  private Optional<MessageLite> added(ExecProcessRequest request) {
    for (var process : containers.get(request.getId()).processes()) {
      if (process.id().equals(request.getExecId())) {
        return Optional.of(Empty.getDefaultInstance());
      }
    }
    return Optional.empty();
  }

  private Optional<MessageLite> deletion(DeleteRequest request) {
    Optional<DeletedEntry> answer = deleted(request.getId(), request.getExecId());
    return answer.isEmpty() ? Optional.empty()
        : Optional.of(DeleteResponse.newBuilder().setPid(answer.get().getPid())
            .setExitStatus(answer.get().getExitStatus()).setExitedAt(answer.get().getExitedAt()).build());
  }

  /** Another client may have deleted the process since its end. */
  private Optional<MessageLite> waited(WaitRequest request) {
    Optional<DeletedEntry> answer = deleted(request.getId(), request.getExecId());
    return answer.isEmpty() ? Optional.empty()
        : Optional.of(WaitResponse.newBuilder().setExitStatus(answer.get().getExitStatus())
            .setExitedAt(answer.get().getExitedAt()).build());
  }

  /** What the Delete of a process has answered that is not there any more. */
  private Optional<DeletedEntry> deleted(String id, String exec) {
    Optional<Container> container = containers.find(id);
    boolean gone = container.isEmpty() || !exec.isEmpty() && !has(container.get(), exec);
    return gone ? Optional.ofNullable(deleted.get(exec.isEmpty() ? id : id + "/" + exec)) : Optional.empty();
  }

  /** No lambda: clients wait, and the dry run for the archive has not passed it. */
  private static boolean has(Container container, String exec) {
    for (ContainerProcess process : container.processes()) {
      if (process.id().equals(exec)) {
        return true;
      }
    }
    return false;
  }

  /** A signal that was sent twice would be two; but no process notices a second SIGKILL. */
  private Optional<MessageLite> killed(KillRequest request) {
    if (request.getSignal() != SIGKILL) {
      throw Redo.inDoubt();
    }
    var process = containers.get(request.getId()).process(request.getExecId());
    return done(process.status() == Status.STOPPED || process.dead()); // of the signal, and not told yet
  }

  private static Optional<MessageLite> done(boolean done) {
    return done ? Optional.of(Empty.getDefaultInstance()) : Optional.empty();
  }
}
