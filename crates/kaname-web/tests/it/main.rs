//! All pages in all languages, and every route as strangers, residents, officers and parties meet it.

mod agency;
mod aliases;
mod counter;
mod dci;
mod dci_events;
mod delegates;
mod doors;
mod findings;
mod forms;
mod html;
mod journeys;
mod links;
mod manual;
mod office;
mod openapi;
mod pages;
mod routes;
mod rubbish;
mod shapes;
mod words;
mod world;
