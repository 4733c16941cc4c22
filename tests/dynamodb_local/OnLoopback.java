import java.io.IOException;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import software.amazon.dynamodb.services.local.main.ServerRunner;

/** DynamoDB Local for this machine alone: it has no option for the address, and would listen on all of them. */
public class OnLoopback {
    public static void main(String[] arguments) throws Exception {
        var local = ServerRunner.createServerFromCommandLineArgs(arguments);
        var jetty = local.getClass().getDeclaredField("server");
        jetty.setAccessible(true);
        for (var connector : ((Server) jetty.get(local)).getConnectors()) {
            ((ServerConnector) connector).setHost("127.0.0.1");
        }
        try {
            local.start();
        } catch (IOException taken) {
            System.err.println(taken.getMessage() + ": choose another port with DDB_PORT=8001.");
            System.exit(1);
        }
        local.join();
    }
}
