//! Two processes: the first starts the second, gets a calculator from it, and hands it a printer of its own. The
//! calculator, in the second process, calls the printer, in the first, while the first waits for the result.
//!
//! ```text
//! cargo run -p grs-mp --example calculator -- "1 + 2.5 - 4"
//! ```

use std::ffi::OsString;
use std::rc::Rc;
use std::sync::{Arc, mpsc};

use capnp::capability::Promise;
use grs_mp::{
    Connection, Error, EventLoop, Hosted, LoopOptions, Remote, RequestContext, Session, exception,
    inherited_fd_argument, proxy_capnp, spawn, take_inherited_stream,
};

#[allow(missing_docs, clippy::all, unused, clippy::unwrap_used, clippy::unimplemented)]
#[rustfmt::skip]
mod calculator_capnp;

use calculator_capnp::{calculator, init, printer};

/// What the program is about: ordinary Rust, which does not know of processes.
trait Printer: Send + Sync {
    fn print(&self, text: &str) -> Result<(), Error>;
}

trait Calculator: Send + Sync {
    fn evaluate(&self, expression: &str) -> Result<f64, String>;
}

/// Prints to standard output, with the process's number to show where it happens.
struct Terminal;

impl Printer for Terminal {
    fn print(&self, text: &str) -> Result<(), Error> {
        println!("process {}: {text}", std::process::id());
        Ok(())
    }
}

/// Adds and subtracts, and prints each step.
struct Sums(Arc<dyn Printer>);

impl Calculator for Sums {
    fn evaluate(&self, expression: &str) -> Result<f64, String> {
        let mut sum = 0.0;
        let mut sign = 1.0;
        for word in expression.split_whitespace() {
            match word {
                "+" => sign = 1.0,
                "-" => sign = -1.0,
                number => {
                    sum += sign * number.parse::<f64>().map_err(|error| format!("{number}: {error}"))?;
                    let step = format!("process {} has reached {sum}", std::process::id());
                    self.0.print(&step).map_err(|error| error.to_string())?;
                }
            }
        }
        Ok(sum)
    }
}

// The serving side of each interface: take the parameters out, run the method on the thread that the caller names, put
// the result in.

struct PrinterServer(Hosted<dyn Printer>);

impl printer::Server for PrinterServer {
    async fn print(
        self: Rc<Self>,
        params: printer::PrintParams,
        mut results: printer::PrintResults,
    ) -> Result<(), capnp::Error> {
        let call = self.0.session.receive(&params);
        let p = params.get()?;
        let text = p.get_text()?.to_string()?;
        let object = self.0.get().map_err(exception)?;
        call.run(RequestContext::read(p.get_context()), move || object.print(&text)).await?;
        call.done(&mut results)
    }
}

struct CalculatorServer(Hosted<dyn Calculator>);

impl calculator::Server for CalculatorServer {
    async fn destroy(
        self: Rc<Self>,
        params: calculator::DestroyParams,
        mut results: calculator::DestroyResults,
    ) -> Result<(), capnp::Error> {
        let call = self.0.session.receive(&params);
        self.0.destroy(&call, RequestContext::read(params.get()?.get_context())).await?;
        call.done(&mut results)
    }

    async fn evaluate(
        self: Rc<Self>,
        params: calculator::EvaluateParams,
        mut results: calculator::EvaluateResults,
    ) -> Result<(), capnp::Error> {
        let call = self.0.session.receive(&params);
        let p = params.get()?;
        let expression = p.get_expression()?.to_string()?;
        let object = self.0.get().map_err(exception)?;
        let result =
            call.run(RequestContext::read(p.get_context()), move || object.evaluate(&expression)).await?;
        results.get().set_result(result);
        call.done(&mut results)
    }
}

struct InitServer(Rc<Session>);

impl init::Server for InitServer {
    async fn construct(
        self: Rc<Self>,
        params: init::ConstructParams,
        mut results: init::ConstructResults,
    ) -> Result<(), capnp::Error> {
        let own = self.0.construct(params.get()?.get_thread_map().ok());
        results.get().set_thread_map(own);
        Ok(())
    }

    async fn make_calculator(
        self: Rc<Self>,
        params: init::MakeCalculatorParams,
        mut results: init::MakeCalculatorResults,
    ) -> Result<(), capnp::Error> {
        let call = self.0.receive(&params);
        let printer = PrinterProxy(self.0.remote(params.get()?.get_printer()?));
        let object =
            Hosted::new(&self.0, Arc::new(Sums(Arc::new(printer))) as Arc<dyn Calculator>, "Calculator");
        results.get().set_result(capnp_rpc::new_client(CalculatorServer(object)));
        call.done(&mut results)
    }
}

// The calling side: fill a request, send it, take the result out. The closures run on the event loop's thread, while the
// caller waits.

struct PrinterProxy(Remote<printer::Client>);

impl Printer for PrinterProxy {
    fn print(&self, text: &str) -> Result<(), Error> {
        let text = text.to_owned();
        self.0.call(move |client, call| async move {
            let mut request = client.print_request();
            let mut p = request.get();
            call.context(p.reborrow().init_context())?;
            p.set_text(&text);
            call.send(request).await.map(|_| ())
        })
    }
}

fn make_calculator(
    init: &Remote<init::Client>,
    printer: Arc<dyn Printer>,
) -> Result<Remote<calculator::Client>, Error> {
    init.call(move |client, call| async move {
        let mut request = client.make_calculator_request();
        let mut p = request.get();
        call.context(p.reborrow().init_context())?;
        let hosted = Hosted::new(call.session(), printer, "Printer");
        p.set_printer(capnp_rpc::new_client(PrinterServer(hosted)));
        let response = call.send(request).await?;
        Ok(call.session().remote(response.get()?.get_result()?))
    })
}

fn evaluate(calculator: &Remote<calculator::Client>, expression: &str) -> Result<f64, Error> {
    let expression = expression.to_owned();
    calculator.call(move |client, call| async move {
        let mut request = client.evaluate_request();
        let mut p = request.get();
        call.context(p.reborrow().init_context())?;
        p.set_expression(&expression);
        let response = call.send(request).await?;
        Ok(response.get()?.get_result())
    })
}

fn construct(
    client: &init::Client,
    own: proxy_capnp::thread_map::Client,
) -> (proxy_capnp::thread_map::Client, Promise<(), capnp::Error>) {
    let mut request = client.construct_request();
    request.get().set_thread_map(own);
    let answer = request.send();
    let map = answer.pipeline.get_thread_map();
    let promise = answer.promise;
    (map, Promise::from_future(async move { promise.await.map(|_| ()) }))
}

/// The second process: serves until the first one has gone.
fn serve(fd: std::os::fd::RawFd) -> Result<(), Box<dyn std::error::Error>> {
    let stream = take_inherited_stream(fd)?;
    let event_loop = EventLoop::start(LoopOptions::new("calculator"))?;
    let conn = Connection::serve(&event_loop.handle(), stream, |session| {
        let client: init::Client = capnp_rpc::new_client(InitServer(session.clone()));
        client.client
    })?;
    let (sender, receiver) = mpsc::channel();
    conn.on_close(move |_| drop(sender));
    // Gives an error when the sender is dropped, which is what it waits for.
    let _ = receiver.recv() as Result<(), _>;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<OsString> = std::env::args_os().collect();
    if let Some(fd) = inherited_fd_argument(&args) {
        return serve(fd?);
    }
    let expression = args.get(1).map_or("1 + 2.5 - 4".into(), |text| text.to_string_lossy());
    let (process, stream) = spawn(&std::env::current_exe()?)?;
    let event_loop = EventLoop::start(LoopOptions::new("example"))?;
    let init = Connection::connect(&event_loop.handle(), stream, construct)?;
    process.watch(init.connection());

    let terminal: Arc<dyn Printer> = Arc::new(Terminal);
    let calculator = make_calculator(&init, terminal.clone())?;
    let value = evaluate(&calculator, &expression)?;
    terminal.print(&format!("{expression} = {value}"))?;
    Ok(())
}
